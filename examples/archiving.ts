import { SessionRegistry } from 'session-registry'

const database = new Map<string, string>() // in place of yours

const sessions = new SessionRegistry<string[]>({
  timeoutMs: 100,
  intervalMs: 50,
  create: () => [],
  archive: async (session, reason, { signal }) => {
    signal.throwIfAborted()
    database.set(session.id, JSON.stringify(session.value))
    console.log(`archived ${session.id}: ${reason}`)
  },
  load: async (id) => {
    const stored = database.get(id)
    return stored === undefined ? undefined : JSON.parse(stored)
  },
})

await sessions.run('ada', async (session) => session.value.push('hello'))
await new Promise((resolve) => setTimeout(resolve, 300)) // Ada leaves, and is archived

await sessions.run('ada', async (session) => session.value.push('I am back'))
console.log(sessions.get('ada')) // [ 'hello', 'I am back' ]

const { ended, archived, failed } = await sessions.close()
console.log({ ended, archived, failed: failed.length })
