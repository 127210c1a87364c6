import { type Contender, sessionValue } from '../contender.ts'

/** The baseline, the least that sliding expiry can cost: a bare `Map` and one stored `performance.now()`. */
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
  // `declare`, so that V8 stores the number in a mutable heap number and overwrites it in place.
  declare value: object
  declare lastActive: number

  constructor(value: object, lastActive: number) {
    this.value = value
    this.lastActive = lastActive
  }
}
