import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fileStore } from 'session-registry/stores/file'
import { sqliteStore } from 'session-registry/stores/sqlite'
import { storeContract } from 'session-registry/testing'

/** The stores that depend on the runtime, on the runtime: files, and its SQLite. */
const home = mkdtempSync(join(tmpdir(), 'session-registry-smoke-'))
const sqlite = process.getBuiltinModule?.('node:sqlite')
const bunSqlite = globalThis.Bun ? await import('bun:sqlite') : undefined
let places = 0
const place = () => join(home, `place-${++places}`)

try {
  await passes('files', () => fileStore(place()))
  if (sqlite === undefined) {
    assert.throws(() => sqliteStore(place()), { code: 'ERR_SESSION_OPTION_INVALID' })
  } else {
    await passes('a path', () => sqliteStore(place()))
    await passes('node:sqlite', () => sqliteStore(quick(new sqlite.DatabaseSync(place()))))
    await passes('node:sqlite with other results', () =>
      sqliteStore(quick(new sqlite.DatabaseSync(place(), { readBigInts: true, returnArrays: true }))),
    )
  }
  if (bunSqlite !== undefined) {
    await passes('bun:sqlite', () => sqliteStore(quick(new bunSqlite.Database(place()))))
    await passes('bun:sqlite, strict, with bigint', () =>
      sqliteStore(quick(new bunSqlite.Database(place(), { strict: true, safeIntegers: true, create: true }))),
    )
  }
  // The others are started in other ways; what happens then is a matter of the file system and of SQLite.
  if (!globalThis.Bun && !globalThis.Deno) {
    await survivesProcesses('file', fileStore)
    if (sqlite !== undefined) await survivesProcesses('sqlite', sqliteStore)
  }
} finally {
  rmSync(home, { recursive: true, force: true })
}
const { versions } = process
console.log(
  `runtime ${globalThis.Deno ? `Deno ${versions.deno}` : globalThis.Bun ? `Bun ${versions.bun}` : `Node ${versions.node}`}`,
)

/** Several at a time, since many of them wait. */
async function passes(name, makeStore) {
  const checks = storeContract(makeStore).values()
  const take = async () => {
    for (const { name: promise, run } of checks) {
      await run().catch((cause) => {
        throw new Error(`${name}: ${promise}: ${cause.message}`, { cause })
      })
    }
  }
  await Promise.all(Array.from({ length: 6 }, take))
}

/** Without a flush at each write, which is not what the contract looks at. */
function quick(database) {
  database.exec('PRAGMA synchronous = OFF')
  return database
}

/**
 * Four processes that begin at once on a new place lose nothing, and neither does one that is killed in the
 * middle.
 */
async function survivesProcesses(kind, open) {
  const path = place()
  const journal = place()
  writeFileSync(journal, '')
  const worker = (rounds) =>
    spawn(
      process.execPath,
      [fileURLToPath(new URL('./smoke-stores-worker.mjs', import.meta.url)), kind, path, journal, rounds],
      {
        stdio: 'inherit',
      },
    )
  const acknowledged = () => readFileSync(journal, 'utf8').split('\n').length - 1
  const codes = await Promise.all(
    Array.from({ length: 4 }, async () => (await once(worker('20'), 'exit'))[0]),
  )
  assert.deepEqual(codes, [0, 0, 0, 0])
  const store = open(path)
  assert.equal(await count(store), 80)
  for (let kills = 0; kills < 4; kills += 1) {
    const before = acknowledged()
    const child = worker('100000')
    while (acknowledged() < before + 3 + kills) await wait(1)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    const found = await count(store)
    assert.ok(
      found >= acknowledged() && found <= acknowledged() + 1,
      `${found} stored, ${acknowledged()} acknowledged`,
    )
    // The process died after this write and before its acknowledgement.
    if (found > acknowledged()) writeFileSync(journal, `${found}\n`, { flag: 'a' })
  }
  await store.close?.()
}

async function count(store) {
  const found = await store.get('ada', { signal: new AbortController().signal })
  const { n, filler } = JSON.parse(found.text)
  assert.equal(filler, String(n % 10).repeat(30_000))
  return n
}
