import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { count, table } from '../markdown-table.ts'
import { median } from '../median.ts'
import type { ContenderName, Figures, Method } from './measure.ts'

/**
 * Measures a thread of LangGraph: its stored text, its memory, and the time of a step, as it grows. Writes
 * results.md.
 *
 * Environment: ROUNDS (3); NODE, the Node of the measuring processes; BEFORE, the directory of another build
 * of this library, which then is one more contender.
 */
const { ROUNDS = '3', NODE = process.execPath, BEFORE } = process.env
const rounds = Number(ROUNDS)
const sizes = [10, 50, 100, 200]
const contenders: readonly ContenderName[] = [
  'session-registry',
  'session-registry, keepCheckpoints: 1',
  ...(BEFORE === undefined ? [] : (['session-registry before'] as const)),
  'MemorySaver',
]

const run = promisify(execFile)
const measure = fileURLToPath(new URL('../.built/langgraph/measure.js', import.meta.url))
const readings = new Map<string, Figures[]>()

const [loadBefore = Number.NaN] = loadavg()
for (let round = 0; round < rounds; round += 1) {
  process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  for (const size of sizes) {
    for (const name of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const { stdout } = await run(NODE, ['--expose-gc', measure, name, String(size)])
      const all = readings.get(`${name} ${size}`) ?? []
      readings.set(`${name} ${size}`, [...all, JSON.parse(stdout)])
    }
  }
}

/** Returns a table of one figure: a line for each contender, a column for each size. */
function tableOf(
  what: string,
  figure: (figures: Figures) => number,
  text: (value: number) => string,
): string {
  const lines = contenders.map((name) => [
    name,
    ...sizes.map((size) => text(median((readings.get(`${name} ${size}`) ?? []).map(figure)))),
  ])
  return table([what, ...sizes.map(String)], lines)
}

const ratio = (value: number) => value.toFixed(1)
const ms = (value: number) => (value / 1_000).toFixed(1)
const callTable = (method: Method) => {
  const [first] = readings.values()
  const perInvoke = first?.[0]?.calls[method].perInvoke ?? Number.NaN
  return tableOf(`\`${method}\`, µs; ${perInvoke} × a question`, ({ calls }) => calls[method].us, count)
}

const { stdout: version } = await run(NODE, ['--version'])
const results = `# LangGraph: figures

Written by \`npm run bench:langgraph\`.

- ${new Date().toISOString().slice(0, 10)}, Node ${version.trim()}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}
- ${rounds === 1 ? 'one round' : `medians of ${count(rounds)} rounds`}, each reading in a process of its own; load average before: ${ratio(loadBefore)}
- a \`StateGraph\` with \`MessagesAnnotation\` and a model that answers at once; a question and its answer are
  350 bytes each; the columns are the number of questions in the thread
- times are of the cheapest of the last five questions; **a whole \`invoke\`** is CPU time and contains
  LangGraph's own work; the others are of one call of the saver, with the durability \`sync\`
- **MemorySaver**: LangGraph's own; what it stores is counted in bytes of its serialised values

${tableOf('stored text ÷ what was said', ({ stored, said }) => stored / said, ratio)}

${tableOf('memory ÷ what was said', ({ memory, said }) => memory / said, ratio)}

${tableOf('a whole `invoke`, ms', ({ invoke }) => invoke, ms)}

${callTable('getTuple')}

${callTable('put')}

${callTable('putWrites')}
`
await writeFile(new URL('./results.md', import.meta.url), results)
console.log(results)
