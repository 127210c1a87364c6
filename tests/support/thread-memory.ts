import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread } from 'session-registry/langgraph'
import { ManualClock } from 'session-registry/testing'

/**
 * Run in a process of its own with `--expose-gc`: fills threads, lets them expire, and prints the memory
 * that was held.
 */
const clock = new ManualClock()
const threads = new SessionRegistry<Thread>({ clock, timeoutMs: 1_000, create: newThread })
const saver = new SessionSaver({ source: threads })

function held(): number {
  // Twice: the second round frees what the first one finalised.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

async function fill(): Promise<void> {
  const metadata = { source: 'loop' as const, step: 0, parents: {} }
  for (let thread = 0; thread < 500; thread += 1) {
    let config = { configurable: { thread_id: `thread ${thread}` } as object }
    for (let step = 1; step <= 10; step += 1) {
      const checkpoint = {
        ...emptyCheckpoint(),
        id: uuid6(step),
        channel_values: { text: 'x'.repeat(2_000), step },
        channel_versions: { text: step, step },
      }
      config = (await saver.put(config, checkpoint, metadata, checkpoint.channel_versions)) as typeof config
      await saver.putWrites(config, [['text', 'y'.repeat(500)]], 'task')
    }
  }
}

function expire(): void {
  clock.advance(1_000)
  threads.sweep()
}

await fill()
expire()
const before = held()
await fill()
const full = held()
expire()
const after = held()
console.log(JSON.stringify({ before, full, after, left: threads.size }))
