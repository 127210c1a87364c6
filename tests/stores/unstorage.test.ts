import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SessionStore } from 'session-registry'
import { unstorageStore } from 'session-registry/stores/unstorage'
import { createStorage, type Driver, prefixStorage, type Storage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import fsLiteDriver from 'unstorage/drivers/fs-lite'
import memoryDriver from 'unstorage/drivers/memory'
import nullDriver from 'unstorage/drivers/null'
import overlayDriver from 'unstorage/drivers/overlay'
import { describe, expect, it } from 'vitest'
import { sessionError } from '../support/session-error.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { testFolder } from '../support/test-folder.ts'
import { describeStore } from './describe-store.ts'

const breakers = new WeakMap<SessionStore, () => void>()

/** A driver whose calls fail from some moment on. */
function failingDriver(driver: Driver): { driver: Driver; fail: () => void } {
  let hasFailed = false
  const refusing =
    <A extends unknown[], R>(call: ((...args: A) => R) | undefined) =>
    (...args: A) => {
      if (hasFailed) throw new Error('the database is away')
      return call?.(...args)
    }
  return {
    driver: {
      ...driver,
      getItem: refusing(driver.getItem) as Driver['getItem'],
      setItem: refusing(driver.setItem),
      removeItem: refusing(driver.removeItem),
    } as Driver,
    fail: () => {
      hasFailed = true
    },
  }
}

describeStore(
  "unstorage's memory driver",
  () => {
    const { driver, fail } = failingDriver(memoryDriver())
    const store = unstorageStore(createStorage({ driver }))
    breakers.set(store, fail)
    return store
  },
  { compares: false, fail: (store) => breakers.get(store)?.() },
)

describe.each([
  ['fs', fsDriver],
  ['fs-lite', fsLiteDriver],
])("unstorage's %s driver", (name, makeDriver) => {
  describeStore(
    `unstorage's ${name} driver`,
    () => {
      const base = join(testFolder(), 'sessions')
      const store = unstorageStore(createStorage({ driver: makeDriver({ base }) }))
      breakers.set(store, () => {
        rmSync(base, { recursive: true, force: true })
        writeFileSync(base, 'no folder any more')
      })
      return store
    },
    { compares: false, fail: (store) => breakers.get(store)?.() },
  )

  it('rejects where half a text is in the file', async () => {
    const base = testFolder()
    const store = unstorageStore(createStorage({ driver: makeDriver({ base }) }))
    await store.put(storedSession(), replacing(null))
    const [file = ''] = readdirSync(base)
    for (const text of ['', 's1:', 's1:{"id":"ada"', '{"id":"ada"}', '7']) {
      writeFileSync(join(base, file), text)
      await expect(store.get('ada', context()), text).rejects.toThrow(/is damaged/)
    }
  })

  it('rejects if the driver returns the error of a read as the value', async () => {
    const base = testFolder()
    const store = unstorageStore(createStorage({ driver: makeDriver({ base: join(base, 'file') }) }))
    writeFileSync(join(base, 'file'), '')

    await expect(store.get('ada', context())).rejects.toMatchObject({ code: 'ENOTDIR' })
  })
})

describeStore(
  'a part of a storage, with a prefix',
  () => unstorageStore(prefixStorage(createStorage(), 'sessions')),
  {
    compares: false,
  },
)

describe('an unstorage store: drivers that do not tell', () => {
  const named = (name: string): Driver => ({ ...memoryDriver(), name })
  const refused = [
    'azure-app-configuration',
    'azure-key-vault',
    'azure-storage-blob',
    'azure-storage-table',
    'uploadthing',
    'vercel-blob',
  ]

  it.each(refused)('are refused by name: %s', (name) => {
    expect(() => unstorageStore(createStorage({ driver: named(name) }))).toThrow(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
    expect(() => unstorageStore(createStorage({ driver: named(name) }))).toThrow(`\`${name}\``)
  })

  it('are refused where they are mounted, and a prefix leads to them', () => {
    const storage = createStorage()
    storage.mount('sessions', named('vercel-blob'))

    expect(() => unstorageStore(prefixStorage(storage, 'sessions'))).toThrow('`vercel-blob`')
    expect(() => unstorageStore(storage)).not.toThrow()
  })

  it('are refused as a layer of another driver', () => {
    const driver = overlayDriver({ layers: [memoryDriver(), named('azure-storage-blob')] })

    expect(() => unstorageStore(createStorage({ driver }))).toThrow('`azure-storage-blob`')
  })

  it('are refused when they take the place of another later on', async () => {
    const storage = createStorage()
    const store = unstorageStore(storage)
    await storage.unmount('')
    storage.mount('', named('vercel-blob'))

    await expect(store.get('ada', context())).rejects.toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
  })
})

describe('an unstorage store: what the library swallows', () => {
  it.each([
    ['a driver that keeps nothing', () => createStorage({ driver: nullDriver() })],
    [
      'a driver that cannot write',
      () => createStorage({ driver: { ...memoryDriver(), setItem: undefined } as Driver }),
    ],
    ['a read-only folder', () => createStorage({ driver: fsDriver({ base: testFolder(), readOnly: true }) })],
  ])('makes the first put reject, and the next one: %s', async (_, make) => {
    const store = unstorageStore(make())

    await expect(store.put(storedSession(), replacing(null))).rejects.toThrow(/did not store/)
    await expect(store.put(storedSession(), replacing(null))).rejects.toThrow(/did not store/)
    await store.delete('ada', context())
  })

  it('makes a delete reject that has removed nothing', async () => {
    const storage = createStorage({ driver: { ...memoryDriver(), removeItem: () => {} } })
    const store = unstorageStore(storage)
    const session = storedSession()
    await store.put(session, replacing(null))

    await expect(store.delete('ada', context())).rejects.toThrow(/did not delete/)
    expect(await store.get('ada', context())).toEqual(session)
  })

  it('is read back once for the writes, and after every deletion', async () => {
    const driver = memoryDriver()
    let reads = 0
    const counting: Driver = {
      ...driver,
      getItem(key) {
        reads += 1
        return driver.getItem(key, {})
      },
    }
    const store = unstorageStore(createStorage({ driver: counting }))
    for (let n = 0; n < 5; n += 1) await store.put(storedSession(), replacing(undefined))
    expect(reads).toBe(1)
    for (let n = 0; n < 5; n += 1) await store.delete('ada', context())

    expect(reads).toBe(6)
  })

  it.each([
    ['a number', 7],
    ['an object', { id: 'ada' }],
    ['a page', '<html>502 Bad Gateway</html>'],
    ['bytes', new Uint8Array(3)],
    ['false', false],
    ['an empty text', ''],
    ["another session's text", 's1:{"id":"bob","revision":"r","createdAt":1,"lastActiveAt":1,"text":"[]"}'],
  ])('is no miss where something else comes back: %s', async (_, value) => {
    const driver = { ...memoryDriver(), getItem: () => value } as unknown as Driver
    const store = unstorageStore(createStorage({ driver }))

    await expect(store.get('ada', context())).rejects.toThrow(/stored/)
  })

  it('is not parsed: the text that is kept does not look like JSON', async () => {
    const storage = createStorage()
    await unstorageStore(storage).put(storedSession(), replacing(null))
    const [key = ''] = await storage.getKeys()

    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(await storage.getItem(key)).toMatch(/^s1:\{"id":"ada"/)
  })
})

describe('an unstorage store: its arguments', () => {
  it.each([undefined, null, 'memory', {}, { getItem() {}, setItem() {} }])(
    'is refused without a storage: %j',
    (given) => {
      expect(() => unstorageStore(given as unknown as Storage)).toThrow(
        sessionError('ERR_SESSION_OPTION_INVALID'),
      )
    },
  )

  it('has nothing that it cannot do: it neither closes, nor prunes, nor knows owners', () => {
    const store = unstorageStore(createStorage())

    expect([store.close, store.prune, store.owned]).toEqual([undefined, undefined, undefined])
  })

  it('deletes a revision only if it is there', async () => {
    const store = unstorageStore(createStorage())
    const session = storedSession()
    await store.put(session, replacing(null))
    await store.delete('ada', { ...context(), replaces: 'another' })
    expect(await store.get('ada', context())).toEqual(session)
    await store.delete('ada', { ...context(), replaces: session.revision })

    expect(await store.get('ada', context())).toBeUndefined()
  })
})
