import { type Contender, sessionValue } from '../contender.ts'

/**
 * The least that sliding can cost: a bare `Map` and one stored `performance.now()`. It never ends anything.
 */
export function makeBaseline(): Contender {
  const entries = new Map<string, Entry>()
  return {
    getOrCreate(id) {
      const entry = entries.get(id)
      if (entry === undefined) {
        entries.set(id, new Entry(sessionValue, performance.now()))
        return sessionValue
      }
      entry.lastActive = performance.now()
      return entry.value
    },
    size: () => entries.size,
    close: () => entries.clear(),
  }
}

class Entry {
  // Declared only, so that V8 keeps the number in a box of its own and writes into that.
  declare value: object
  declare lastActive: number

  constructor(value: object, lastActive: number) {
    this.value = value
    this.lastActive = lastActive
  }
}
