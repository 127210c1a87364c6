import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

const folder = await mkdtemp(join(tmpdir(), 'hooks-to-store-'))
const database = new Map<string, string>()
const timeoutMs = 20

// #region hooks
const onHooks = new SessionRegistry<string[]>({
  timeoutMs,
  create: () => [],
  archive: async (session, _reason, { signal }) => {
    signal.throwIfAborted()
    database.set(session.id, JSON.stringify(session.value))
  },
  load: async (id) => {
    const stored = database.get(id)
    return stored === undefined ? undefined : JSON.parse(stored)
  },
})
// #endregion hooks

// #region store
const onStore = new SessionRegistry<string[]>({
  timeoutMs,
  create: () => [],
  store: fileStore(folder),
})
// #endregion store

for (const [name, sessions] of Object.entries({ onHooks, onStore })) {
  await sessions.run('ada', ({ value }) => value.push('a secret'))
  await new Promise((resolve) => setTimeout(resolve, timeoutMs * 2)) // Ada leaves
  sessions.sweep()
  await sessions.settled()

  sessions.delete('ada')
  console.log(name, await sessions.run('ada', ({ value }) => [...value]))
  await sessions.close()
}
await rm(folder, { recursive: true })
