import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import type { Message } from './message.ts'

/** A store of what each visitor and the bot have said. */
export interface Histories {
  /** Uses one visitor's history across `await`. */
  turn<R>(visitor: string, use: (history: Message[], signal: AbortSignal) => Promise<R>): Promise<R>
  /** Returns a copy of a visitor's history, or `undefined` if there is none. */
  read(visitor: string): Promise<Message[] | undefined>
  stats(): object
  close(): Promise<void>
}

/** Histories in a registry, which leave memory when their visitors have left. */
export function historiesInRegistry(options: SessionRegistryOptions<Message[]>): Histories {
  const sessions = new SessionRegistry<Message[]>({ create: () => [], ...options })
  return {
    turn: (visitor, use) => sessions.run(visitor, (session, signal) => use(session.value, signal)),
    // A read does not wait for a turn, and creates no session.
    read: async (visitor) => (await sessions.open(visitor, { create: false }))?.slice(),
    stats: () => sessions.stats(),
    close: async () => {
      const { failed } = await sessions.close()
      if (failed.length > 0) throw new Error(`${failed.length} histories could not be saved`)
    },
  }
}
