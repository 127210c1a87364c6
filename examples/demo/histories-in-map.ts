import type { Histories } from '../chat-server/histories.ts'
import type { Message } from '../chat-server/message.ts'

/** Histories in a `Map` that is never cleared, as in most first versions of a server. */
export function historiesInMap(): Histories {
  const histories = new Map<string, Message[]>()
  return {
    turn: (visitor, use) => {
      let history = histories.get(visitor)
      if (history === undefined) {
        history = []
        histories.set(visitor, history)
      }
      return use(history, new AbortController().signal)
    },
    read: async (visitor) => histories.get(visitor)?.slice(),
    stats: () => ({ size: histories.size }),
    close: async () => histories.clear(),
  }
}
