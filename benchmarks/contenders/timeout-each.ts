import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

/** One `setTimeout` per session, refreshed by each use. */
export function makeTimeoutEach({ timeoutMs, onExpired }: ContenderOptions): Contender {
  const entries = new Map<string, { readonly value: object; readonly timer: NodeJS.Timeout }>()
  return {
    getOrCreate(id) {
      const entry = entries.get(id)
      if (entry !== undefined) {
        entry.timer.refresh()
        return entry.value
      }
      const expire = () => {
        entries.delete(id)
        onExpired?.(id)
      }
      entries.set(id, { value: sessionValue, timer: setTimeout(expire, timeoutMs).unref() })
      return sessionValue
    },
    size: () => entries.size,
    close() {
      for (const { timer } of entries.values()) clearTimeout(timer)
      entries.clear()
    },
  }
}
