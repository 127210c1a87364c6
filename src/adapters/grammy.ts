/**
 * The sessions of grammY and telegraf in a registry: {@link sessionStorage}, {@link sessionTurns}.
 *
 * @module
 */
export { type SessionStorage, sessionStorage } from './grammy/session-storage.ts'
export { type ChatContext, type SessionTurnsOptions, sessionTurns } from './grammy/session-turns.ts'
