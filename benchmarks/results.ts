import { cpus, totalmem } from 'node:os'
import { type ContenderName, contenderNames, variantNames } from './contenders.ts'
import type { Figures } from './figures.ts'
import type { ImportCost } from './import-cost.ts'
import { type FiguresOf, helpersWithSpareCpu } from './measured-process.ts'

export interface RunFacts {
  /** The version of the Node that was measured, as `node --version` prints it. */
  readonly nodeVersion: string
  readonly rounds: number
  readonly minutes: number
  readonly isHuge: boolean
  /** The load average of the machine before the run. */
  readonly loadBefore: number
}

const ended = contenderNames.filter((name) => name !== 'baseline')

/** Returns the text of `results.md`, of the parts of one Node each. */
export function resultsText(parts: readonly string[]): string {
  return `${[
    '# Results',
    'Written by `npm run bench`; [README.md](README.md) describes the method.',
    '**baseline**: a bare `Map` and one stored `performance.now()`. In brackets: the ratio to it in the same round.',
    ...parts,
  ].join('\n\n')}\n`
}

/** Returns every figure of the run on one Node as tables. */
export function partText(figures: Figures, importCost: ImportCost, facts: RunFacts): string {
  const steadySizes = [1_000, 100_000, 1_000_000, ...(facts.isHuge ? [10_000_000] : [])]
  const growthSizes = [1_000_000, ...(facts.isHuge ? [10_000_000] : [])]
  return [
    `## Node ${facts.nodeVersion}`,
    machineText(facts),
    ...steadySizes.flatMap((size) => steadyText(figures, size)),
    ...variantText(figures, [1_000, 100_000]),
    ...massExpiryText(figures, 100_000),
    ...massExpiryText(figures, 1_000_000),
    ...hourText(figures, 20_000),
    ...growthSizes.flatMap((size) => growthText(figures, size)),
    ...importText(importCost),
  ].join('\n\n')
}

function machineText({ nodeVersion, rounds, minutes, loadBefore }: RunFacts): string {
  const [cpu] = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return [
    `- ${new Date().toISOString().slice(0, 10)}, Node ${nodeVersion}, ${process.platform} ${process.arch}`,
    `- ${cpus().length} × ${cpu?.model.trim()}, ${memory}; load average before: ${loadBefore.toFixed(1)}`,
    `- ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`}; per round three runs with up to 100 000 sessions, eight of their use; ${minutes.toFixed(0)} minutes in all`,
  ].join('\n')
}

function steadyText(figures: Figures, size: number): string[] {
  const rows = contenderNames.map((name) => {
    const bytes = figures.of('creation', name, size, 'bytesPerSession')
    return [
      name,
      costText(figures, 'live-sessions', name, size, 'touchNs'),
      costText(figures, 'creation', name, size, 'createNs'),
      number(bytes),
      number(bytes - figures.of('creation', 'baseline', size, 'bytesPerSession')),
      number(figures.of('live-sessions', name, size, 'idleSweepMs'), 3),
    ]
  })
  return [
    `### ${count(size)} live sessions`,
    table(
      [
        '',
        '`getOrCreate` of a live one, ns',
        'creation, ns',
        'bytes per session, beyond key and value',
        'over the baseline',
        'sweep that finds nothing, ms',
      ],
      rows.filter((row) => row[1] !== '– (–)'),
    ),
  ]
}

/** Returns the costs of a session in the variants of this library. */
function variantText(figures: Figures, sizes: readonly number[]): string[] {
  const names = ['session-registry', ...variantNames] as const
  const rows = names.map((name) => [
    name === 'session-registry' ? 'nothing else' : name,
    ...sizes.flatMap((size) => [
      number(figures.of('live-sessions', name, size, 'touchNs')),
      number(figures.of('creation', name, size, 'createNs')),
    ]),
  ])
  const head = sizes.flatMap((size) => [
    `\`getOrCreate\` of one of ${count(size)}, ns`,
    `creation of ${count(size)}, ns`,
  ])
  return ['### A registry that has, beside the idle timeout, …', table(['', ...head], rows)]
}

/** Returns nanoseconds, and the ratio to the baseline in the same round. */
function costText<W extends 'creation' | 'live-sessions' | 'hour'>(
  figures: Figures,
  work: W,
  name: ContenderName,
  size: number,
  figure: keyof FiguresOf[W] & string,
): string {
  const ns = figures.of(work, name, size, figure)
  return `${number(ns)} (${ratio(figures.ratio(work, name, size, figure))})`
}

function massExpiryText(figures: Figures, size: number): string[] {
  const control = figures.of('control', 'baseline', 0, 'longestBlockMs')
  const rows = ended.map((name) => [
    name,
    number(figures.of('mass-expiry', name, size, 'longestBlockMs'), 1),
    number(figures.of('mass-expiry', name, size, 'goneAfterMs')),
    number(figures.of('mass-expiry', name, size, 'emitted')),
  ])
  return [
    `### ${count(size)} sessions due at once, ended in the background`,
    `Control, nothing to do: the event loop was blocked for at most ${number(control, 1)} ms.`,
    table(
      ['', 'longest time that the event loop was blocked, ms', 'all gone after, ms', 'emitted to a listener'],
      rows,
    ),
  ]
}

function hourText(figures: Figures, visitors: number): string[] {
  const rows = contenderNames.map((name) => [
    name,
    costText(figures, 'hour', name, visitors, 'requestNs'),
    number(figures.of('hour', name, visitors, 'longestSweepMs'), 2),
    number(figures.of('hour', name, visitors, 'keptPerVisitor'), 2),
  ])
  return [
    `### An hour with ${count(visitors)} visitors`,
    table(
      ['', 'all work per request, ns', 'longest sweep, ms', 'sessions in memory per visitor present'],
      rows.filter((row) => row[1] !== '– (–)'),
    ),
  ]
}

function growthText(figures: Figures, size: number): string[] {
  const works = [
    ['growth', ''],
    [
      'growth-with-spare-cpu',
      `, V8 with ${count(helpersWithSpareCpu)} helper thread${helpersWithSpareCpu === 1 ? '' : 's'}`,
    ],
  ] as const
  const names = ['baseline', 'session-registry'] as const
  const rows = works.flatMap(([work, how]) =>
    names.map((name) => {
      const { longestInsertionMs, waitingMs } = figures.worst(work, name, size, 'longestInsertionMs')
      const { longestOwnMs } = figures.worst(work, name, size, 'longestOwnMs')
      return [
        `${name}${how}`,
        number(longestInsertionMs, 1),
        number(waitingMs ?? Number.NaN, 1),
        number(longestOwnMs, 1),
        number(figures.of(work, name, size, 'longestInsertionMs'), 1),
      ]
    }),
  )
  return [
    `### Growth to ${count(size)} sessions`,
    'The longest insertion of all runs, not the median of the runs, which stands last.',
    table(
      [
        '',
        'longest insertion, ms',
        'of it the wait for a processor, ms',
        'longest without such waits, ms',
        'median of the longest of each run, ms',
      ],
      rows,
    ),
  ]
}

function importText(cost: ImportCost): string[] {
  return [
    '### Import of the root entry',
    table(
      ['', ''],
      [
        ['`import`, ms', number(cost.importMs, 1)],
        ['`require`, ms', number(cost.requireMs, 1)],
        ['`import` and a registry with `logger: true`, ms', number(cost.importWithPinoMs, 1)],
        ['bytes (gzipped)', `${number(cost.bytes)} (${number(cost.gzippedBytes)})`],
        ['pino loaded without a logger', cost.isPinoLoaded ? 'yes' : 'no'],
      ],
    ),
  ]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

function number(value: number, digits = 0): string {
  if (value === Number.POSITIVE_INFINITY) return 'never'
  return Number.isNaN(value) ? '–' : count(Number(value.toFixed(digits)))
}

function ratio(value: number): string {
  return Number.isNaN(value) ? '–' : `${value.toFixed(2)} ×`
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 }).replaceAll(',', ' ')
}
