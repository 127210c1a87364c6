export { messageCodec } from './langchain/message-codec.ts'
export { messageHistories } from './langchain/message-history.ts'
export { withSessionTurns } from './langchain/session-turns.ts'
