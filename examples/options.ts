import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

const minute = 60_000
const day = 24 * 60 * minute

const chats = new SessionRegistry<string[]>({
  name: 'chats', // in log lines and on channels
  create: () => [],
  timeoutMs: 20 * minute, // after that long without activity, a session leaves memory
  maxAgeMs: 7 * day, // after that long, it ends for good
  store: fileStore('./sessions'), // where it is kept meanwhile
  keepMs: 2 * day, // how long it is kept without activity
  maxSessions: 10_000, // in memory; the least recently active one makes room
  maxTurnMs: 2 * minute, // the slowest answer takes less
  maxWaiting: 5, // messages of one visitor that may wait; one more is answered with 429
  logger: true,
})

await chats.run('ada', ({ value }) => value.push('hello'))
console.log(chats.stats().size)
await chats.close()
