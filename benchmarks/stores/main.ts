import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { openStores } from './open-stores.ts'
import { type Reading, report } from './report.ts'
import { type Message, type TurnMethod, type TurnMethodName, turnMethods } from './turn-methods.ts'

/**
 * Measures durable turns on each store, with the registry and with code written by hand on the same store.
 * Each round measures every method once, the order reversed from round to round.
 *
 * Environment: ROUNDS (7), BATCH_MS (300) per method, round and size, STORES (all) as a list with semicolons.
 */
const { ROUNDS = '7', BATCH_MS = '300', STORES } = process.env
const rounds = Number(ROUNDS)
const batchMs = Number(BATCH_MS)
const messageBytes = 200
const sizes = [1_000, 20_000, 200_000]

const [loadBefore = Number.NaN] = loadavg()
const readings: Reading[] = []
for (const [name, open] of openStores) {
  if (STORES !== undefined && !STORES.split(';').includes(name)) continue
  const opened = await open()
  try {
    for (const bytes of sizes) {
      console.log(`${name}, ${bytes / 1_000} kB`)
      const history = Array.from({ length: bytes / messageBytes }, (_, index) => messageOf(index))
      const methods: [TurnMethodName, TurnMethod][] = []
      for (const [method, openMethod] of Object.entries(turnMethods)) {
        methods.push([method as TurnMethodName, await openMethod(opened.store, history)])
      }
      await measureRounds(name, bytes, methods)
      for (const [, method] of methods) await method.close()
    }
  } finally {
    await opened.close()
  }
}
const text = report({ rounds, batchMs, loadBefore, sizes, readings })
if (STORES === undefined) await writeFile(new URL('./results.md', import.meta.url), text)
console.log(text)

async function measureRounds(
  store: string,
  bytes: number,
  methods: readonly [TurnMethodName, TurnMethod][],
): Promise<void> {
  let turns = 0
  const change = (method: TurnMethod) => () => method.turn(messageOf(turns++))
  // Once without a reading: connections, tables, compiled code.
  for (const [, method] of methods) await perSecond(change(method))
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, method] of round % 2 === 0 ? methods : methods.toReversed()) {
      const turnsPerSecond = await perSecond(change(method))
      const unchangedPerSecond = await perSecond(() => method.unchangedTurn())
      readings.push({ store, bytes, method: name, round, turnsPerSecond, unchangedPerSecond })
    }
  }
}

/** Returns how often per second `call` fulfils, one call after the other. */
async function perSecond(call: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  let calls = 0
  let elapsedMs = 0
  for (; elapsedMs < batchMs; elapsedMs = performance.now() - startedAt) {
    await call()
    calls += 1
  }
  return (calls * 1_000) / elapsedMs
}

/** Returns a message of {@link messageBytes} as JSON, with its comma. */
function messageOf(index: number): Message {
  const message = { role: index % 2 === 0 ? 'user' : 'assistant', content: `${index} ` } as const
  const missing = messageBytes - JSON.stringify(message).length - 1
  return { ...message, content: message.content + 'x'.repeat(missing) }
}
