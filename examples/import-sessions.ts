import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'
import { importRows } from './stores/import-rows.ts'

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
