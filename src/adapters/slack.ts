/**
 * The conversations of Slack's Bolt in a registry: {@link conversationStore}.
 *
 * @module
 */
export { type Conversation, type ConversationStore, conversationStore } from './slack/conversation-store.ts'
