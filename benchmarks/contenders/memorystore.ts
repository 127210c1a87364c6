import createMemoryStore from 'memorystore'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

/** The members used here: its own types need those of express-session. */
interface MemoryStore {
  readonly store: { readonly itemCount: number; has(id: string): boolean }
  get(id: string, done: (error: unknown, session: object | undefined) => void): void
  set(id: string, session: object): void
  touch(id: string, session: object): void
  prune(): void
  stopInterval(): void
}

/**
 * memorystore as express-session uses it: it stores strings, and each request reads and touches its session.
 */
export function makeMemoryStore({ timeoutMs, intervalMs, onExpired }: ContenderOptions): Contender {
  const Store = createMemoryStore({ Store: class {} } as never) as unknown as new (
    options: object,
  ) => MemoryStore
  const store = new Store({
    ttl: timeoutMs,
    checkPeriod: intervalMs,
    noDisposeOnSet: true,
    ...(onExpired === undefined ? {} : { dispose: (id: string) => onExpired(id) }),
  })
  const ignore = () => {}
  return {
    getOrCreate(id) {
      // Its callback runs in a later event-loop iteration, so the inner store tells whether there is a
      // session.
      if (store.store.has(id)) {
        store.get(id, ignore)
        store.touch(id, sessionValue)
      } else {
        store.set(id, sessionValue)
      }
      return sessionValue
    },
    size: () => store.store.itemCount,
    sweep: () => store.prune(),
    close: () => store.stopInterval(),
  }
}
