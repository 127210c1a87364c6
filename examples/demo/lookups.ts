import { setTimeout as wait } from 'node:timers/promises'
import type { Responder } from '../chat-server/responder.ts'

/** The beginning of a message whose answer takes long. */
export const lookUp = 'Look it up, please.'

/**
 * A responder that waits `lookUpMs` before it answers a message that begins with `lookUp`, as an agent does
 * that calls its tools.
 */
export function withLookups(respond: Responder, lookUpMs: number): Responder {
  return async (history, signal) => {
    if (history.at(-1)?.text.startsWith(lookUp)) await wait(lookUpMs, undefined, { signal })
    return respond(history, signal)
  }
}
