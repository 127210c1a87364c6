import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { delimiter } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { type ContenderName, contenderNames, variantNames } from './contenders.ts'
import { Figures } from './figures.ts'
import { measureImport } from './import-cost.ts'
import { measureApart, type Work } from './measured-process.ts'
import { nodeSections } from './node-sections.ts'
import { writePlots } from './plots.ts'
import { partText, resultsText } from './results.ts'

// `npm run bench [-- --huge --rounds 5 --node <path>]`: all measurements, in about 45 minutes for each Node;
// writes results.md and plots. `--node`, which may be repeated, or NODES, a list as in PATH: the Nodes of the
// measuring processes; the plots show the first. The sections of other Nodes stay.
// Not NODE: npm sets it.
const { NODES = process.execPath } = process.env
const { values } = parseArgs({
  options: {
    huge: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    node: { type: 'string', multiple: true, default: NODES.split(delimiter) },
  },
})
const rounds = Number(values.rounds)
const run = promisify(execFile)

const all = contenderNames
// The baseline expires nothing, and toad-cache nothing in the background.
const ended = all.filter((name) => name !== 'baseline' && name !== 'toad-cache')
const ours: ContenderName[] = ['baseline', 'session-registry']
// The result is the longest insertion of all runs, so there are three times as many.
const grown: ContenderName[] = [...ours, 'session-registry', 'session-registry']

// Small sizes are fast to measure and easily disturbed: three runs in each round, and five more of the use of
// live sessions. Depending on its addresses, a touch of one of 100 000 sessions takes 300 or 700 ns, so nine
// runs do not resolve 5 %.
const small = [1_000, 100_000]
const sizes = [...small, ...small, ...small, 1_000_000]
const smallAgain = [...small, ...small, ...small, ...small, ...small]

interface Job {
  readonly work: Work
  readonly size: number
  readonly contenders: readonly ContenderName[]
}

function createAndUse(size: number, contenders: readonly ContenderName[]): Job[] {
  return [
    { work: 'creation', size, contenders },
    { work: 'live-sessions', size, contenders },
  ]
}

function grow(size: number): Job[] {
  return [
    { work: 'growth', size, contenders: grown },
    { work: 'growth-with-spare-cpu', size, contenders: grown },
  ]
}

const plan: Job[] = [
  ...sizes.flatMap((size) => createAndUse(size, all)),
  ...smallAgain.map((size): Job => ({ work: 'live-sessions', size, contenders: all })),
  ...createAndUse(1_000, variantNames),
  ...createAndUse(100_000, variantNames),
  { work: 'control', size: 0, contenders: ['baseline'] },
  { work: 'mass-expiry', size: 100_000, contenders: ended },
  { work: 'mass-expiry', size: 1_000_000, contenders: ended },
  { work: 'hour', size: 20_000, contenders: all.filter((name) => name !== 'setTimeout each') },
  ...grow(1_000_000),
]
if (values.huge) {
  plan.push(...createAndUse(10_000_000, ours))
  plan.push(...grow(10_000_000))
}

/** Measures everything on one Node, and returns its part of results.md. */
async function measureOn(node: string): Promise<{ readonly figures: Figures; readonly part: string }> {
  const { stdout } = await run(node, ['--version'])
  const nodeVersion = stdout.trim()
  const [loadBefore = Number.NaN] = loadavg()
  const startedAt = performance.now()
  const figures = new Figures()
  for (let round = 1; round <= rounds; round += 1) {
    for (const { work, size, contenders } of plan) {
      for (const contender of contenders) {
        const jobStartedAt = performance.now()
        figures.add(work, contender, size, await measureApart(node, work, contender, size))
        const seconds = ((performance.now() - jobStartedAt) / 1000).toFixed(1)
        process.stderr.write(
          `Node ${nodeVersion}: round ${round} of ${rounds}: ${work}, ${size}, ${contender}: ${seconds} s\n`,
        )
      }
    }
  }
  const importCost = await measureImport(node)
  const minutes = (performance.now() - startedAt) / 60_000
  const facts = { nodeVersion, rounds, minutes, isHuge: values.huge, loadBefore }
  return { figures, part: partText(figures, importCost, facts) }
}

const results = new URL('results.md', import.meta.url)
const parts: string[] = []
for (const node of values.node) {
  const { figures, part } = await measureOn(node)
  parts.push(part)
  if (parts.length === 1) await writePlots(figures)
  // After each, so that a failure on the next Node loses nothing.
  await writeFile(results, resultsText(await nodeSections(results, parts)))
}
process.stdout.write(resultsText(parts))
