import createMemoryStore from 'memorystore'
import { type Contender, type ContenderOptions, sessionValue } from '../contender.ts'

/** As much of it as is used here: its own types want those of express-session. */
interface MemoryStore {
  readonly store: { readonly itemCount: number; has(id: string): boolean }
  get(id: string, done: (error: unknown, session: object | undefined) => void): void
  set(id: string, session: object): void
  touch(id: string, session: object): void
  prune(): void
  stopInterval(): void
}

/** As express-session uses it: a session is a string in there, read and touched by each request. */
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
      // Its callback comes in a later turn of the loop, so whether there is a session is asked beneath it.
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
