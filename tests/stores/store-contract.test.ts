import type { SessionStore } from 'session-registry'
import { type StoreContractOptions, storeContract } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../support/memory-store.ts'
import { sessionError } from '../support/session-error.ts'
import { brokenReads } from './broken-reads.ts'
import { brokenWrites } from './broken-writes.ts'
import { comparing } from './changed-stores.ts'
import { describeStore } from './describe-store.ts'

const fail = (store: MemoryStore) => {
  store.isBroken = true
}

describeStore('a store in memory', () => new MemoryStore(), { fail })
describeStore('a store that a promise brings', async () => new MemoryStore())

/** The names of the checks that a store does not pass. */
async function failed<S extends SessionStore>(
  make: () => S,
  options?: StoreContractOptions<S>,
): Promise<string[]> {
  const names: string[] = []
  await Promise.all(
    storeContract(make, options).map(({ name, run }) =>
      run().catch((error: unknown) => {
        expect(String(error), name).toMatch(/expected|Expected|Error: /)
        names.push(name)
      }),
    ),
  )
  return names
}

describe('the contract of stores', () => {
  it.concurrent.each([...brokenReads, ...brokenWrites])(
    'notices a store that %s',
    async (_, notices, make) => {
      expect(await failed(make, { fail })).toEqual(expect.arrayContaining([expect.stringMatching(notices)]))
    },
    60_000,
  )

  it('leaves out what only a comparing store can do with `compares: false`', async () => {
    const make = () => comparing((_, context) => ({ ...context, replaces: undefined }))

    expect(await failed(make, { compares: false })).toEqual([])
    expect((await failed(make)).length).toBeGreaterThan(5)
  })

  it('needs neither prune, nor owned, nor close', async () => {
    const make = () => {
      const store = new MemoryStore()
      return Object.assign(store, {
        prune: undefined,
        owned: undefined,
        close: undefined,
      }) as unknown as MemoryStore
    }

    expect(await failed(make, { fail })).toEqual([])
  })

  it('makes a new store for each check, and closes it', async () => {
    let [made, closed] = [0, 0]
    const checks = storeContract(() => {
      made += 1
      const store = new MemoryStore()
      return Object.assign(store, {
        close: async () => {
          closed += 1
        },
      })
    })
    for (const { name, run } of checks) {
      const before = closed
      await run()
      if (!name.startsWith('close')) expect(closed, name).toBe(before + 1)
    }

    expect(made).toBe(checks.length)
  })

  it('checks failures only with `fail`', () => {
    const names = (options?: StoreContractOptions<MemoryStore>) =>
      storeContract(() => new MemoryStore(), options).map(({ name }) => name)

    expect(names().filter((name) => name.includes('fails'))).toEqual([])
    expect(names({ fail }).filter((name) => name.includes('fails')).length).toBeGreaterThan(5)
    expect(new Set(names({ fail })).size).toBe(names({ fail }).length)
  })

  it('refuses arguments that are none of its own', () => {
    const make = () => new MemoryStore()
    for (const call of [
      () => storeContract(new MemoryStore() as never),
      () => storeContract(make, { compares: 1 as never }),
      () => storeContract(make, { fail: true as never }),
      () => storeContract(make, { compare: false } as never),
      () => storeContract(make, null as never),
    ]) {
      expect(call).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
    }
  })
})
