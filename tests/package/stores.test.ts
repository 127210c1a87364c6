import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ConsumerProject } from './consumer-project.ts'

// Each test is a process or a compiler; the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

let project: ConsumerProject

beforeAll(async () => {
  project = await ConsumerProject.create()
}, 180_000)

afterAll(() => project?.remove())

const exportedNames = {
  file: ['fileStore'],
  keyv: ['keyvStore'],
  postgres: ['postgresStore'],
  sqlite: ['sqliteStore'],
  unstorage: ['unstorageStore'],
}
const stores = Object.keys(exportedNames)

describe('the stores of the packed package', () => {
  it.each([
    ['ESM', 'stores.mjs', 'import(name)'],
    ['CJS', 'stores.cjs', 'Promise.resolve(require(name))'],
  ])('export just these names, and share one class of errors: %s', async (_kind, file, loading) => {
    const { stdout } = await project.run(
      file,
      `const load = (name) => ${loading}
       async function main() {
         const { SessionRegistryError } = await load('session-registry')
         for (const store of ${JSON.stringify(stores)}) {
           const names = await load('session-registry/stores/' + store)
           let thrown
           try { names[Object.keys(names)[0]](7) } catch (error) { thrown = error }
           console.log(store, Object.keys(names).join(), thrown instanceof SessionRegistryError, thrown.code)
         }
       }
       main()`,
    )

    expect(stdout.trim().split('\n')).toEqual(
      Object.entries(exportedNames).map(
        ([store, names]) => `${store} ${names} true ERR_SESSION_OPTION_INVALID`,
      ),
    )
  })

  it('need no package, and load nothing but what the runtime has', async () => {
    const { stdout } = await project.run(
      'loaded-stores.cjs',
      `const Module = require('node:module')
       const original = Module._load
       const loaded = []
       Module._load = function (request, ...rest) { loaded.push(request); return original.call(this, request, ...rest) }
       for (const store of ${JSON.stringify(stores)}) require('session-registry/stores/' + store)
       console.log(JSON.stringify(loaded.filter((one) => !/^\\.|^session-registry/.test(one))))`,
    )
    const { builtinModules } = await import('node:module')

    expect(
      JSON.parse(stdout).filter((one: string) => !builtinModules.includes(one.replace('node:', ''))),
    ).toEqual([])
  })

  it('keep sessions in files, with nothing else installed', async () => {
    const { stdout } = await project.run(
      'files.mjs',
      `import { fileStore } from 'session-registry/stores/file'
       import { storeContract } from 'session-registry/testing'
       let n = 0
       const checks = storeContract(() => fileStore('./sessions-' + (n += 1)))
       for (const { run } of checks.slice(0, 5)) await run()
       console.log('kept', n)`,
    )

    expect(stdout).toBe('kept 5\n')
  })

  it('have types that need no other package, without skipLibCheck', async () => {
    await project.link('@types/node')
    await project.link('undici-types')
    await project.write(
      'stores-typed.mts',
      `import { SessionRegistry, type SessionStore, type StoredSession } from 'session-registry'
       import { fileStore } from 'session-registry/stores/file'
       import { keyvStore, type KeyvLike } from 'session-registry/stores/keyv'
       import { postgresStore, type PostgresPool, type PostgresStoreOptions } from 'session-registry/stores/postgres'
       import { sqliteStore, type SqliteDatabase, type SqliteStoreOptions } from 'session-registry/stores/sqlite'
       import { unstorageStore, type UnstorageLike } from 'session-registry/stores/unstorage'
       import { type StoreCheck, storeContract } from 'session-registry/testing'
       declare const parts: [KeyvLike, PostgresPool, PostgresStoreOptions, SqliteDatabase, SqliteStoreOptions, UnstorageLike]
       const [keyv, pool, poolOptions, database, databaseOptions, storage] = parts
       export const all: SessionStore[] = [
         fileStore('sessions'), keyvStore(keyv), postgresStore(pool, poolOptions), sqliteStore(database, databaseOptions),
         sqliteStore('sessions.db', { table: 'chats' }), unstorageStore(storage),
       ]
       export const checks: StoreCheck[] = storeContract(() => fileStore('sessions'), { compares: true, fail: (store: SessionStore) => store })
       export const text = (session: StoredSession): string => session.text
       void SessionRegistry`,
    )
    const compilerOptions = {
      module: 'node16',
      strict: true,
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      types: ['node'],
    }
    await project.write('stores.json', JSON.stringify({ compilerOptions, files: ['stores-typed.mts'] }))
    const output = await project.tsc('stores.json').catch((error: { stdout: string }) => error)

    expect(output.stdout).toBe('')
  })
})
