import { isSessionRegistryError, SessionRegistry } from 'session-registry'
import { appendJsonLine } from './json-lines.ts'
import { openStore } from './open-store.ts'
import { messageOf, type TurnLine, type TurnWork } from './turn-work.ts'

/**
 * One process with a registry on a store that others use too: two visitors, who say messages in turns of one
 * session and another. It writes down each turn whose run settled.
 */
const work = JSON.parse(process.argv[2] ?? '{}') as TurnWork
const { store, close } = openStore(work.source)
// Fewer sessions in memory than there are: some turns evict a session, and some read one.
const registry = new SessionRegistry<string[]>({ store, create: () => [], maxSessions: work.ids.length - 1 })
registry.on('error', (error) => write({ error: String(error) }))
let turns = 0

process.send?.('up')
await Promise.all([visit(), visit()])
await registry.close()
await close()
process.disconnect()

async function visit(): Promise<void> {
  while (turns < work.turns) {
    turns += 1
    const id = work.ids[Math.floor(Math.random() * work.ids.length)] ?? ''
    const message = messageOf(`${process.pid}-${turns}`)
    try {
      await registry.run(id, ({ value }) => {
        value.push(message)
      })
      write({ id, message })
    } catch (error) {
      const code = isSessionRegistryError(error) ? error.code : String(error)
      write({ id, message, code })
    }
  }
}

function write(line: TurnLine): void {
  appendJsonLine(work.journal, line)
}
