/*
 * LangChain's histories on sessions: one session is one list of messages.
 *
 *   message-history.ts   a history: each member is one short turn, or part of the turn around it
 *   session-turns.ts     a runnable of which each call is one turn; turn-readable.ts: its stream, written inside the turn
 *   store-outcome.ts     whether the histories of a call stored their messages, which LangChain does not report
 *   message-codec.ts     a list as text: tagged-writer.ts, tagged-reader.ts, and their format in tagged-json.ts
 */

export { messageCodec } from './langchain/message-codec.ts'
export { messageHistories } from './langchain/message-history.ts'
export { withSessionTurns } from './langchain/session-turns.ts'
