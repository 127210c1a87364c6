/**
 * The chats of the Vercel AI SDK in sessions: {@link chatStore}.
 *
 * @module
 */
export { type ChatStore, type ChatStoreOptions, chatStore } from './ai-sdk/chat-store.ts'
