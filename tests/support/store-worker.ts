import { appendJsonLine } from './json-lines.ts'
import { openStore } from './open-store.ts'
import { context, replacing, storedSession } from './store-session.ts'
import { countIn, type StoreWork, textOf } from './store-work.ts'

/**
 * One process of several that share a store: counts up in its sessions, and writes down each count that the
 * store took.
 */
const work = JSON.parse(process.argv[2] ?? '{}') as StoreWork
const { store, close } = openStore(work.source)

process.send?.('up')
for (let round = 0; round < work.rounds; round += 1) {
  for (const id of work.ids) await increment(id)
}
await close()
process.disconnect()

async function increment(id: string): Promise<void> {
  for (;;) {
    const found = await store.get(id, context())
    const n = found === undefined ? 1 : countIn(found.text) + 1
    const next = storedSession({ id, text: textOf(n), owner: 'worker', lastActiveAt: Date.now() })
    // A refusal is what must happen when another process was quicker.
    if (!(await store.put(next, replacing(found?.revision ?? null)))) continue
    // One system call: a count that was written down outlives the process, which may be killed at the next
    // instant.
    appendJsonLine(work.journal, { id, n })
    return
  }
}
