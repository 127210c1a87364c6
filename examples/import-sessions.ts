import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SessionRegistry, type SessionStore } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

/** A row as an `archive` hook of your own may have written it. */
interface Row {
  readonly id: string
  readonly value: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

// #region import
/** Writes rows into a store. It may be repeated: it skips what the store has already. */
async function importRows(rows: AsyncIterable<Row> | Iterable<Row>, store: SessionStore): Promise<number> {
  let imported = 0
  for await (const { id, value, createdAt, updatedAt } of rows) {
    const session = {
      id,
      text: value, // what the `codec` of the registry decodes: JSON by default
      revision: randomUUID(),
      createdAt: createdAt.getTime(), // `maxAgeMs` counts from here
      lastActiveAt: updatedAt.getTime(), // and `keepMs` from here
    }
    // `replaces: null`: written only if the store has no session of this id.
    if (await store.put(session, { signal: AbortSignal.timeout(30_000), replaces: null })) imported += 1
  }
  return imported
}
// #endregion import

const createdAt = new Date('2026-01-01')
const rows = ['ada', 'bob'].map((id) => ({
  id,
  value: `["${id} was here"]`,
  createdAt,
  updatedAt: createdAt,
}))
const folder = await mkdtemp(join(tmpdir(), 'import-sessions-'))
const store = fileStore(folder) // in place of yours

console.log(`${await importRows(rows, store)} imported`)
console.log(`${await importRows(rows, store)} imported the second time`)

const sessions = new SessionRegistry<string[]>({ create: () => [], store })
console.log(await sessions.run('ada', ({ value }) => value.push('and is back') && value))
console.log(`since ${new Date(sessions.peek('ada')?.createdAt ?? 0).getFullYear()}`)

await sessions.close()
await rm(folder, { recursive: true })
