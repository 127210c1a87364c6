import { EventEmitter } from 'node:events'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

/** The usual code by hand: a `Map`, and a timer that checks every entry. */
export function makeFullScanMap({ timeoutMs, intervalMs, onExpired }: ContenderOptions): Contender {
  const entries = new Map<string, Entry>()
  const events = new EventEmitter()
  if (onExpired !== undefined) events.on('expired', onExpired)
  const sweep = () => {
    const now = performance.now()
    for (const [id, entry] of entries) {
      if (now - entry.lastActive < timeoutMs) continue
      entries.delete(id)
      events.emit('expired', id, entry.value)
    }
  }
  const timer = setInterval(sweep, intervalMs).unref()
  return {
    getOrCreate(id) {
      const now = performance.now()
      const entry = entries.get(id)
      if (entry !== undefined && now - entry.lastActive < timeoutMs) {
        entry.lastActive = now
        return entry.value
      }
      entries.set(id, new Entry(sessionValue, now))
      return sessionValue
    },
    size: () => entries.size,
    sweep,
    close: () => clearInterval(timer),
  }
}

class Entry {
  declare value: object
  declare lastActive: number

  constructor(value: object, lastActive: number) {
    this.value = value
    this.lastActive = lastActive
  }
}
