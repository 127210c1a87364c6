import fs from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { Keyv } from 'keyv5'
import type { SessionStore } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'
import { keyvStore } from 'session-registry/stores/keyv'
import { postgresStore } from 'session-registry/stores/postgres'
import { sqliteStore } from 'session-registry/stores/sqlite'
import { unstorageStore } from 'session-registry/stores/unstorage'
import { createStorage, type Driver } from 'unstorage'
import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeOnPostgres, testPool, uniqueTable } from '../support/postgres-suite.ts'
import { Random } from '../support/random.ts'
import { openDatabase } from '../support/sqlite-databases.ts'
import { testFolder } from '../support/test-folder.ts'
import { waitUntil } from '../support/wait-until.ts'
import { UncertainClient } from './uncertain-client.ts'

/** When, and how, a call of a back end fails. */
class Faults {
  isOver = false
  /** Faults that there were. */
  count = 0
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Throws one time in ten. Before its effect, or after it: `around` is called at both moments. */
  strike(): void {
    if (this.isOver || !this.#random.chance(0.1)) return
    this.count += 1
    throw Object.assign(new Error('a fault of the test'), { code: 'EIO' })
  }

  /** Makes a call that may be slow, and may fail before or after its effect. */
  async around<R>(call: () => R | PromiseLike<R>): Promise<R> {
    if (this.#random.chance(0.1)) await wait(this.#random.below(3))
    this.strike()
    const result = await call()
    this.strike()
    return result
  }
}

type Open = (faults: Faults) => SessionStore

function describeFaults(name: string, open: Open, { compares = true } = {}): void {
  it.each([1, 2, 3, 4, 5, 6])(
    `${name}: every answer is one that can be true, with seed %i`,
    async (seed) => {
      const random = new Random(seed)
      const faults = new Faults(random)
      const store = open(faults)
      const clients = ['ada', 'bob', '\udc00'].map(
        (id) => new UncertainClient(store, random, { id, compares }),
      )
      for (let step = 0; step < 60; step += 1) {
        await Promise.all(clients.map((client) => client.step()))
      }
      expect(faults.count).toBeGreaterThan(5)
      faults.isOver = true
      for (const client of clients) await waitUntil(() => client.get())
    },
    60_000,
  )
}

describe('a store whose back end fails before or after the effect', () => {
  describeFaults('files', (faults) => {
    const folder = testFolder()
    for (const name of ['readFile', 'open', 'mkdir'] as const) {
      const real = fs[name] as (...args: unknown[]) => Promise<unknown>
      mock(name, (...args) => faults.around(() => real(...args)))
    }
    const { rename } = fs
    mock('rename', (...[from, to]) =>
      // The lock of a call that reported a failure is waited for; that has a test of its own.
      String(to).endsWith('.lock')
        ? rename(String(from), String(to))
        : faults.around(() => rename(String(from), String(to))),
    )
    return fileStore(folder)
  })

  describeFaults('SQLite', (faults) => {
    const database = openDatabase()
    const around =
      <A extends unknown[], R>(call: (...args: A) => R) =>
      (...args: A) => {
        faults.strike()
        const result = call(...args)
        faults.strike()
        return result
      }
    return sqliteStore({
      exec: (sql) => database.exec(sql),
      prepare(sql) {
        const statement = database.prepare(sql)
        return {
          run: around((...params: unknown[]) => statement.run(...params)),
          get: around((...params: unknown[]) => statement.get(...params)),
          all: around((...params: unknown[]) => statement.all(...params)),
        }
      },
      close: () => {},
    })
  })

  describeFaults(
    'unstorage',
    (faults) => {
      const driver = memoryDriver()
      return unstorageStore(
        createStorage({
          driver: {
            ...driver,
            getItem: (key: string) => faults.around(() => driver.getItem(key, {})),
            setItem: (key: string, value: string) => faults.around(() => driver.setItem?.(key, value, {})),
            removeItem: (key: string) => faults.around(() => driver.removeItem?.(key, {})),
          } as Driver,
        }),
      )
    },
    { compares: false },
  )

  describeFaults(
    'Keyv',
    (faults) => {
      const kept = new Map<string, unknown>()
      const store = {
        get: (key: string) => faults.around(() => kept.get(key)),
        set: (key: string, value: unknown) => faults.around(() => void kept.set(key, value)),
        delete: (key: string) => faults.around(() => kept.delete(key)),
        clear: async () => kept.clear(),
      }
      return keyvStore(new Keyv({ store }))
    },
    { compares: false },
  )
})

describeOnPostgres('a store whose server fails before or after the effect', (postgres) => {
  describeFaults('PostgreSQL', (faults) => {
    const pool = testPool(postgres().url)
    return postgresStore(
      { query: (text, params) => faults.around(() => pool.query(text, params)) },
      { table: uniqueTable() },
    )
  })
})

function mock(
  name: 'readFile' | 'open' | 'mkdir' | 'rename',
  use: (...args: unknown[]) => Promise<unknown>,
): void {
  const spy = vi.spyOn(fs, name).mockImplementation(use as never)
  onTestFinished(() => spy.mockRestore())
}
