/**
 * Message histories of LangChain in sessions: {@link messageHistories}.
 *
 * @module
 */
/*
 * LangChain's histories on sessions: one session is one list of messages.
 *
 *   message-history.ts   a history: each member is one short turn, or part of the turn around it
 *   session-turns.ts     a runnable of which each call is one turn
 *   turn-readable.ts     the stream of such a call, written inside the turn
 *   store-outcome.ts     whether the histories of a call stored their messages: LangChain does not report it
 *   message-codec.ts     a list as text: tagged-writer.ts, tagged-reader.ts, tagged-json.ts (their format)
 */

export { messageCodec } from './langchain/message-codec.ts'
export { messageHistories } from './langchain/message-history.ts'
export { withSessionTurns } from './langchain/session-turns.ts'
