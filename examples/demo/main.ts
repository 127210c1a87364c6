import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startMeasured } from './measured-process.ts'
import type { Kind, Measurement } from './measured-server.ts'
import { pictureOf } from './picture.ts'
import { plotOf, type Reading, tableOf } from './report.ts'
import { sendVisitors } from './traffic.ts'

/** Duration of the traffic in seconds. `npm run demo -- 3` sets it to three. */
const seconds = Number(process.argv[2] ?? 20)

/** A file for a picture of the result: `npm run demo -- 20 docs/images/demo.svg` draws that of the README. */
const picture = process.argv[3]

const visitorsPerSecond = 40

/** Idle timeout in milliseconds: short, so that sessions expire during the demo. */
const timeoutMs = 2_000

/**
 * Duration of a slow answer in milliseconds: longer than the timeout, as with an agent that calls slow tools.
 */
const lookUpMs = 3_000

const kinds: readonly (readonly [name: string, kind: Kind])[] = [
  ['Map', 'map'],
  ['Swept Map', 'swept-map'],
  ['Registry', 'registry'],
]

const { NO_COLOR = '' } = process.env
const isColored = process.stdout.isTTY === true && NO_COLOR === ''

console.log(
  `The same chat server three times: on a Map, on a Map that an interval sweeps, and on SessionRegistry.
Each gets the same visitors, ${visitorsPerSecond} a second for ${seconds} s. A visitor says four things and never comes back. A history
times out after ${timeoutMs / 1_000} s without use. One visitor in five asks for something that takes ${lookUpMs / 1_000} s to answer.
`,
)

const servers = await Promise.all(
  kinds.map(async ([name, kind]) => ({ name, server: await startMeasured(kind, { timeoutMs, lookUpMs }) })),
)
const before = await measureAll()
const traffic = Promise.all(
  servers.map(({ server }) =>
    sendVisitors(server.address, { seconds, visitorsPerSecond, timeoutMs, lookUpMs }),
  ),
)
const measured = await measureEachSecond()
const seen = await traffic
// All visitors have left. What is still there after twice the timeout stays for ever.
await wait(timeoutMs * 2)
const left = await measureAll()
await Promise.all(servers.map(({ server }) => server.stop()))

const readings = servers.map(({ name }, place): Reading => {
  const of = (all: readonly Measurement[]) => all[place] as Measurement
  return {
    name,
    before: of(before),
    readings: measured.map(of),
    left: of(left),
    ...(seen[place] as (typeof seen)[number]),
  }
})
console.log(`\nMemory in use after a collection, MB\n\n${plotOf(readings, { isColored })}\n`)
console.log(`${tableOf(readings)}\n`)
if (picture !== undefined) await writeFile(picture, pictureOf(readings))

const registry = readings.at(-1)
if (readings.some(({ failed }) => failed > 0)) throw new Error('some messages were not answered')
if (registry?.left.sessions !== 0) throw new Error('the registry has kept sessions that have expired')
if (registry.lost > 0) throw new Error('the registry has lost answers')

console.log('With a store, a crash loses nothing either: the chat server keeps its histories in files.\n')
const killed = fileURLToPath(new URL('../kill-a-server.ts', import.meta.url))
const [exitCode] = await once(
  spawn(process.execPath, ['--import', 'tsx', killed], { stdio: 'inherit' }),
  'exit',
)
process.exitCode = exitCode ?? 1

function measureAll(): Promise<Measurement[]> {
  return Promise.all(servers.map(({ server }) => server.measure()))
}

async function measureEachSecond(): Promise<Measurement[][]> {
  const all: Measurement[][] = []
  const startedAt = performance.now()
  while (all.length < seconds) {
    await wait(startedAt + (all.length + 1) * 1_000 - performance.now())
    const now = await measureAll()
    all.push(now)
    const shown = now.map(({ sessions, bytes }, place) => {
      const memory = (bytes / 1e6).toFixed(0).padStart(3)
      return `${servers[place]?.name}${String(sessions).padStart(6)} sessions${memory} MB`
    })
    console.log(`${String(all.length).padStart(3)} s   ${shown.join('    ')}`)
  }
  return all
}
