import { setTimeout as wait } from 'node:timers/promises'
import { SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<string[]>({ create: () => [] })
const turns = ['hello', 'are you there?'].map((text) =>
  sessions.run('ada', ({ value }) => wait(50, value.push(text))),
)
await wait(10)

const [ada] = sessions.inspect()
console.log(ada?.state, ada?.running?.whenBusy, ada?.waiting) // one turn runs, one waits
const { size, running, waiting } = sessions.stats()
console.log({ size, running, waiting })
console.log(sessions.health())
await Promise.all(turns)
