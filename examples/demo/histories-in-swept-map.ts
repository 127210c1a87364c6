import type { Histories } from '../chat-server/histories.ts'
import type { Message } from '../chat-server/message.ts'

interface Entry {
  readonly messages: Message[]
  usedAt: number
}

/**
 * Histories in a `Map` with the time of the last use, and an interval that deletes what is older than the
 * timeout, as in many second versions of a server.
 *
 * The interval does not know that a visitor still waits for an answer. It deletes a history in the middle of
 * a turn, and the answer is then written to an object that no later request finds.
 */
export function historiesInSweptMap(options: {
  readonly timeoutMs: number
  readonly intervalMs: number
}): Histories {
  const histories = new Map<string, Entry>()
  const sweep = setInterval(() => {
    const now = Date.now()
    for (const [visitor, { usedAt }] of histories) {
      if (now - usedAt >= options.timeoutMs) histories.delete(visitor)
    }
  }, options.intervalMs)
  sweep.unref()

  function use(visitor: string): Message[] {
    let entry = histories.get(visitor)
    if (entry === undefined) {
      entry = { messages: [], usedAt: 0 }
      histories.set(visitor, entry)
    }
    entry.usedAt = Date.now()
    return entry.messages
  }

  return {
    turn: (visitor, turn) => turn(use(visitor), new AbortController().signal),
    read: async (visitor) => histories.get(visitor)?.messages.slice(),
    stats: () => ({ size: histories.size }),
    close: async () => {
      clearInterval(sweep)
      histories.clear()
    },
  }
}
