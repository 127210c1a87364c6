import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import type { Message } from './message.ts'

/** Where the server keeps what each visitor and the bot have said. */
export interface Histories {
  /** Uses one visitor's history across `await`. */
  turn<R>(visitor: string, use: (history: Message[], signal: AbortSignal) => Promise<R>): Promise<R>
  /** A copy of a visitor's history; `undefined` for one who was never here. */
  read(visitor: string): Promise<Message[] | undefined>
  stats(): object
  close(): Promise<void>
}

/** Histories that live as long as somebody uses them. */
export function historiesInRegistry(options: SessionRegistryOptions<Message[]>): Histories {
  const sessions = new SessionRegistry<Message[]>({ create: () => [], ...options })
  return {
    turn: (visitor, use) => sessions.run(visitor, (session, signal) => use(session.value, signal)),
    // A read waits for nobody, and makes no session of a visitor who only looks.
    read: (visitor) =>
      sessions.run(visitor, async (session) => [...session.value], { whenBusy: 'join', create: false }),
    stats: () => sessions.stats(),
    close: async () => {
      const { failed } = await sessions.close()
      if (failed.length > 0) throw new Error(`${failed.length} histories could not be archived`)
    },
  }
}
