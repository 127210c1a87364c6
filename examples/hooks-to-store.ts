import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openOnHooks } from './stores/on-hooks.ts'
import { openOnStore } from './stores/on-store.ts'

/** Shows one of the traps of hooks: a history that was deleted comes back. */
const folder = await mkdtemp(join(tmpdir(), 'hooks-to-store-'))
process.chdir(folder)

for (const [name, open] of Object.entries({ hooks: openOnHooks, store: openOnStore })) {
  await using sessions = open()
  await sessions.run('ada', ({ value }) => value.push('a secret'))
  await sessions.close()

  await using restarted = open()
  restarted.delete('ada')
  console.log(name, await restarted.run('ada', ({ value }) => [...value]))
}

process.chdir('/')
await rm(folder, { recursive: true })
