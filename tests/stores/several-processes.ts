import type { SessionStore } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { context } from '../support/store-session.ts'
import { countIn, ended, kill, type StoreSource, StoreWorkers } from '../support/store-work.ts'
import { waitUntil } from '../support/wait-until.ts'

/** A place that several processes can open, and a store of it in this one. */
export interface SharedStore {
  readonly source: StoreSource
  readonly store: SessionStore
}

const ids = ['ada', 'bob', '\ud800']

/**
 * What holds of a store that several processes use at once, and of one whose process is killed in the middle
 * of a write.
 */
export function describeSharedStore(name: string, open: () => SharedStore | Promise<SharedStore>): void {
  describe(`several processes on ${name}`, () => {
    it('lose no write: each that was acknowledged counts once', async () => {
      const { source, store } = await open()
      const workers = new StoreWorkers(source)
      const children = await Promise.all([
        workers.start(ids, 15),
        workers.start(ids, 15),
        workers.start(ids, 15),
      ])
      const codes = await Promise.all(children.map(ended))

      expect(codes).toEqual([0, 0, 0])
      for (const id of ids) {
        const counts = workers.counts().filter((counted) => counted.id === id)
        expect(counts.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 45 }, (_, i) => i + 1),
        )
        expect(await stored(store, id)).toBe(45)
      }
    }, 120_000)

    it('lose nothing that was acknowledged when one is killed in the middle of a write, and read no half value', async () => {
      const { source, store } = await open()
      const workers = new StoreWorkers(source)
      for (let round = 0; round < 6; round += 1) {
        const before = workers.counts().length
        const child = await workers.start(ids, 100_000)
        await waitUntil(() => workers.counts().length > before + 5 + round * 3)
        await kill(child)
        for (const id of ids) {
          const acknowledged =
            workers
              .counts()
              .filter((counted) => counted.id === id)
              .at(-1)?.n ?? 0
          const n = await stored(store, id)
          // The one that was on its way when the process died may have arrived.
          expect(n).toBeGreaterThanOrEqual(acknowledged)
          expect(n).toBeLessThanOrEqual(acknowledged + 1)
        }
      }
      expect((await store.owned?.('worker'))?.toSorted()).toEqual(ids.toSorted())
      const last = await workers.start(ids, 1)
      expect(await ended(last)).toBe(0)
    }, 120_000)
  })
}

async function stored(store: SessionStore, id: string): Promise<number> {
  const session = await store.get(id, context())
  return session === undefined ? 0 : countIn(session.text)
}
