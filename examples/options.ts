import { SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

const minute = 60_000
const day = 24 * 60 * minute

const chats = new SessionRegistry<string[]>({
  name: 'chats', // in log lines and on channels
  create: () => [],
  timeoutMs: 20 * minute, // idle that long, it leaves memory
  maxAgeMs: 7 * day, // that old, it ends for good
  store: fileStore('./sessions'), // where it is kept meanwhile
  keepMs: 2 * day, // idle that long, it is deleted there
  maxSessions: 10_000, // in memory
  maxTurnMs: 2 * minute, // the slowest answer takes less
  maxWaiting: 5, // messages of one session; then 429
  logger: true,
})

await chats.run('ada', ({ value }) => value.push('hello'))
console.log(chats.stats().size)
await chats.close()
