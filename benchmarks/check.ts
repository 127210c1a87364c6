import { contenderNames } from './contenders.ts'
import { Figures } from './figures.ts'
import { measureApart } from './measured-process.ts'

// `npm run bench:check`: fails only on a gross loss against the baseline of the same run, so that it passes
// on a busy machine.
const size = 100_000
const rounds = 3
const contenders = contenderNames.filter((name) => name === 'baseline' || name === 'session-registry')

const figures = new Figures()
for (let round = 0; round < rounds; round += 1) {
  for (const contender of contenders) {
    for (const work of ['creation', 'live-sessions'] as const) {
      figures.add(work, contender, size, await measureApart(process.execPath, work, contender, size))
    }
  }
}
figures.add(
  'mass-expiry',
  'session-registry',
  size,
  await measureApart(process.execPath, 'mass-expiry', 'session-registry', size),
)

const bytesOf = (name: 'baseline' | 'session-registry') =>
  figures.of('creation', name, size, 'bytesPerSession')
const checks = [
  [
    'getOrCreate of a live session, × the baseline',
    figures.ratio('live-sessions', 'session-registry', size, 'touchNs'),
    3,
  ],
  ['creation, × the baseline', figures.ratio('creation', 'session-registry', size, 'createNs'), 5],
  ['bytes per session over the baseline', bytesOf('session-registry') - bytesOf('baseline'), 150],
  ['sweep that finds nothing, ms', figures.of('live-sessions', 'session-registry', size, 'idleSweepMs'), 2],
  [
    'longest time that the event loop was blocked by a mass expiry, ms',
    figures.of('mass-expiry', 'session-registry', size, 'longestBlockMs'),
    150,
  ],
] as const

for (const [name, value, limit] of checks) {
  const isGood = value <= limit
  process.stdout.write(`${isGood ? 'ok  ' : 'LOST'} ${name}: ${value.toFixed(2)} (at most ${limit})\n`)
  if (!isGood) process.exitCode = 1
}
