export { type ChatStore, type ChatStoreOptions, chatStore } from './ai-sdk/chat-store.ts'
