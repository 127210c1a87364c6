import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { count, one, table } from '../markdown-table.ts'
import { median } from '../median.ts'

/**
 * Measures what an owner adds to a creation, and what a tombstone takes, each reading in a process of its
 * own, by the Node that runs this. Writes results.md. Environment: ROUNDS (7).
 */
const { ROUNDS = '7' } = process.env
const rounds = Number(ROUNDS)
const names = ['without an owner', 'with an owner', 'without an owner, and counted by hand'] as const
const measure = fileURLToPath(new URL('../.built/owners/measure.js', import.meta.url))
const run = promisify(execFile)

async function read(name: string): Promise<number> {
  const { stdout } = await run(process.execPath, ['--expose-gc', measure, name])
  return Number(stdout)
}

const [loadBefore = Number.NaN] = loadavg()
const byRound: Record<(typeof names)[number], number>[] = []
for (let round = 1; round <= rounds; round += 1) {
  const readings = {} as Record<(typeof names)[number], number>
  for (const name of round % 2 === 0 ? names : names.toReversed()) readings[name] = await read(name)
  byRound.push(readings)
}
const bytes = await read('tombstone')

const lines = names.map((name) => [
  name,
  count(median(byRound.map((readings) => readings[name]))),
  median(byRound.map((readings) => readings[name] / readings['without an owner'])).toFixed(2),
])
const text = `# Owners and tombstones: figures

Written by \`npm run bench:owners\`.

- ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}
- medians of ${count(rounds)} rounds, interleaved, each reading in a process of its own; CPU time
- load average before: ${one(loadBefore)}; if it is not near 0, other programs made every figure worse

## Creation of 1 000 000 sessions of 100 000 owners

**counted by hand**: a \`Map\` beside the registry, from each owner to the number of its sessions.

${table(['creation', 'ns of CPU time', 'ratio in the same round'], lines)}

## Tombstones

1 000 000 tombstones of sessions with an owner: ${one(bytes)} bytes each.
`
await writeFile(new URL('./results.md', import.meta.url), text)
console.log(text)
