import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startMeasured } from './measured-process.ts'
import type { Measurement } from './measured-server.ts'
import { plotOf, type Reading, tableOf } from './report.ts'
import { sendVisitors } from './traffic.ts'

/** How long visitors come to each of the two servers. `npm run demo -- 3` makes it three seconds. */
const seconds = Number(process.argv[2] ?? 11)

/** In a real server 20 minutes; here it has to happen while somebody watches. */
const timeoutMs = 1_500

console.log(
  `The same chat server twice, ${seconds} s of visitors each, who say a few things and never come back.\n`,
)
const onMap = await observe('Map', 'map')
const onRegistry = await observe('SessionRegistry', 'registry')

console.log(`\nHeap in use after a collection, MB; one point per second\n\n${plotOf(onMap, onRegistry)}\n`)
console.log(`${tableOf([onMap, onRegistry])}\n`)

if (onMap.failed + onRegistry.failed > 0) throw new Error('some requests were not answered')
if (onRegistry.left.sessions > 0) throw new Error('the registry has kept sessions that nobody uses')

console.log(
  'And nothing is lost: the server archives to disk, is stopped in the middle of turns, and started again.\n',
)
const archive = fileURLToPath(new URL('../archive-to-disk.ts', import.meta.url))
const [exitCode] = await once(
  spawn(process.execPath, ['--import', 'tsx', archive], { stdio: 'inherit' }),
  'exit',
)
process.exitCode = exitCode

async function observe(name: string, kind: 'map' | 'registry'): Promise<Reading> {
  const server = await startMeasured(kind, timeoutMs)
  const before = await server.measure()
  const readings: Measurement[] = []
  const startedAt = performance.now()
  const traffic = sendVisitors(server.address, seconds)
  while (readings.length < seconds) {
    await wait(startedAt + (readings.length + 1) * 1_000 - performance.now())
    const reading = await server.measure()
    readings.push(reading)
    const { sessions, heapBytes } = reading
    const heap = (heapBytes / 1e6).toFixed(0)
    console.log(
      `${name.padEnd(16)} ${String(readings.length).padStart(3)} s ${String(sessions).padStart(7)} sessions ${heap.padStart(5)} MB`,
    )
  }
  const { answered, visitors, failed } = await traffic
  // Everybody has left. What is still there after twice the timeout stays for ever.
  await wait(timeoutMs * 2)
  const left = await server.measure()
  await server.stop()
  return { name, seconds, before, readings, left, answered, visitors, failed }
}
