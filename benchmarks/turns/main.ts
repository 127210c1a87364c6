import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { delimiter } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { count, one } from '../markdown-table.ts'
import { nodeSections } from '../node-sections.ts'
import { type ContenderName, contendersOf, tracedContenders } from './contenders.ts'
import { measureHttp, promisesElsewhere } from './http-round.ts'
import type { TurnWork } from './measure.ts'
import { httpTable, type Round, turnTable } from './tables.ts'

/**
 * Measures the CPU time of a turn, beside libraries that exclude in other ways, and of an HTTP request with
 * one turn. Writes results.md.
 *
 * Environment: ROUNDS (5); NODES, the Nodes of the measuring processes, a list as in PATH, where the sections
 * of other Nodes stay; * BEFORE, the `index.js` of another build of this library, which then is one more
 * contender.
 */
// Not NODE: npm sets it.
const { ROUNDS = '5', NODES = process.execPath, BEFORE } = process.env
const rounds = Number(ROUNDS)
const bursts = 8
const contenders = contendersOf(BEFORE)
const works: Readonly<Record<TurnWork, readonly ContenderName[]>> = {
  idle: contenders,
  waiting: contenders,
  'nested in another session': contenders,
  // The others wait for ever.
  'nested in the same session': contenders.filter((name) => !/^(async-|p-)/.test(name)),
}

const run = promisify(execFile)
const measure = fileURLToPath(new URL('../.built/turns/measure.js', import.meta.url))

async function turnRound(node: string, round: number): Promise<Map<TurnWork, Round>> {
  const readings = new Map<TurnWork, Round>()
  for (const [work, names] of Object.entries(works) as [TurnWork, readonly ContenderName[]][]) {
    const figures = new Map<ContenderName, number>()
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { stdout } = await run(node, [measure, work, name])
      figures.set(name, Number(stdout))
    }
    readings.set(work, figures)
  }
  return readings
}

/** Measures on one Node, and returns its section of results.md. */
async function sectionOf(node: string): Promise<string> {
  const { stdout: version } = await run(node, ['--version'])
  const [loadBefore = Number.NaN] = loadavg()
  const turnRounds: Map<TurnWork, Round>[] = []
  const plain: Round[] = []
  const busy: Round[] = []
  const served = [...contenders, ...tracedContenders]
  for (let round = 0; round < rounds; round += 1) {
    process.stderr.write(`Node ${version.trim()}: round ${round + 1} of ${rounds}\n`)
    turnRounds.push(await turnRound(node, round))
    plain.push(await measureHttp(node, served, 0, bursts))
    busy.push(await measureHttp(node, served, promisesElsewhere, bursts))
  }
  return `## Node ${version.trim()}

${new Date().toISOString().slice(0, 10)}, ${rounds === 1 ? 'one round' : `medians of ${count(rounds)} rounds`}. Load average before: ${one(loadBefore)}.

${turnTable(works, turnRounds)}

${httpTable(served, plain, busy)}
`
}

/** Returns the text of results.md, of the sections of one Node each. */
function resultsText(sections: readonly string[]): string {
  return `# Turns: figures

Written by \`npm run bench:turns\`.

- ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}
- CPU time, not time that passes; if a load average is not near 0, other programs made the figures of that
  Node worse
- **a turn**: ns, and in brackets the ratio to async-lock in the same round; each reading in a process of
  its own, interleaved. **waiting**: a hundred calls at once, so that all but one wait. **nested**: half of
  the turns run in one of the other half; in the same session the peers wait for ever
- **a request**: µs of the process of a Fastify server whose handler has one turn, and in brackets what it
  adds to the bare \`Map\` in the same round; the servers run at once and get short bursts of requests in
  turn, from another process, and the cheapest of ${count(bursts)} bursts counts. **with promises**: another
  middleware awaits ${count(promisesElsewhere)}. **traced**: another middleware calls the rest of the request in an
  \`AsyncLocalStorage\`, as tracing does
- **bare \`Map\`**: excludes no one, the least that a handler can do

${sections.join('\n\n')}
`
}

const results = new URL('./results.md', import.meta.url)
const sections: string[] = []
for (const node of NODES.split(delimiter)) {
  sections.push(await sectionOf(node))
  // After each, so that a failure on the next Node loses nothing.
  await writeFile(results, resultsText(await nodeSections(results, sections)))
}
console.log(resultsText(sections))
