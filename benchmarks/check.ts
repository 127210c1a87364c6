import { contenderNames } from './contenders.ts'
import { Figures } from './figures.ts'
import { measureApart } from './measured-process.ts'

// `npm run bench:check`: fails only on a gross loss against the limit of the same run, so that a busy machine passes.
const size = 100_000
const rounds = 3
const contenders = contenderNames.filter((name) => name === 'limit' || name === 'session-registry')

const figures = new Figures()
for (let round = 0; round < rounds; round += 1) {
  for (const contender of contenders) {
    for (const work of ['creation', 'live-sessions'] as const) {
      figures.add(work, contender, size, await measureApart(work, contender, size))
    }
  }
}
figures.add(
  'due-at-once',
  'session-registry',
  size,
  await measureApart('due-at-once', 'session-registry', size),
)

const bytesOf = (name: 'limit' | 'session-registry') => figures.of('creation', name, size, 'bytesPerSession')
const checks = [
  [
    'getOrCreate of a live session, × the limit',
    figures.ratio('live-sessions', 'session-registry', size, 'touchNs'),
    3,
  ],
  ['creation, × the limit', figures.ratio('creation', 'session-registry', size, 'createNs'), 5],
  ['bytes per session over the limit', bytesOf('session-registry') - bytesOf('limit'), 150],
  ['sweep that finds nothing, ms', figures.of('live-sessions', 'session-registry', size, 'idleSweepMs'), 2],
  [
    'longest hold of the event loop as all are due, ms',
    figures.of('due-at-once', 'session-registry', size, 'longestHoldMs'),
    150,
  ],
] as const

for (const [name, value, limit] of checks) {
  const isGood = value <= limit
  process.stdout.write(`${isGood ? 'ok  ' : 'LOST'} ${name}: ${value.toFixed(2)} (at most ${limit})\n`)
  if (!isGood) process.exitCode = 1
}
