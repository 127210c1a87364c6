import type { Histories } from '../chat-server/histories.ts'
import type { Message } from '../chat-server/message.ts'

interface Entry {
  readonly messages: Message[]
  usedAt: number
}

/**
 * What many servers go on to: a `Map`, the time of the last use, and an interval that deletes what is older
 * than the timeout.
 *
 * It knows when a history was last asked for, and not that somebody still waits for an answer. A history that
 * is deleted in the middle of a turn is written to all the same, where nobody finds it any more.
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
