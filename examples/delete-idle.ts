import { setTimeout as wait } from 'node:timers/promises'
import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

const chats = new SessionRegistry<string[]>({
  create: () => [],
  store: fileStore('./sessions'),
  timeoutMs: 200, // for 15 minutes: 15 * 60_000
  intervalMs: 50, // 60_000: `expired` comes with the sweep
  keepMs: 60_000, // 30 * 60_000, twice `timeoutMs`: for chats that are not in memory
})
chats.on('expired', ({ id }) => chats.delete(id)) // from the store, too

await chats.run('ada', ({ value }) => value.push('hello'))
await wait(300) // Ada says nothing
console.log(await chats.open('ada', { create: false })) // undefined: her history is deleted
await chats.close()
