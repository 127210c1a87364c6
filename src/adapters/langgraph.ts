export { SessionSaver, type SessionSaverOptions } from './langgraph/session-saver.ts'
export { newThread, type Thread } from './langgraph/thread.ts'
export { threadCodec } from './langgraph/thread-codec.ts'
