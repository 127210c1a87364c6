import process from 'node:process'
import { type ContenderName, loadContender } from './contenders.ts'
import type { Work } from './measured-process.ts'
import { measureCreation } from './workloads/creation.ts'
import { measureControl, measureDueAtOnce } from './workloads/due-at-once.ts'
import { measureGrowth } from './workloads/growth.ts'
import { measureHour } from './workloads/hour.ts'
import { measureLiveSessions } from './workloads/live-sessions.ts'

// The measuring side of measured-process.ts: `measure.ts <work> <contender> <size>`, figures as JSON on stdout.
const works = {
  creation: measureCreation,
  'live-sessions': measureLiveSessions,
  'due-at-once': measureDueAtOnce,
  control: measureControl,
  hour: measureHour,
  growth: measureGrowth,
  'growth-with-room': measureGrowth,
} satisfies Record<Work, unknown>

const [work, contender, size] = process.argv.slice(2) as [Work, ContenderName, string]
const figures = await works[work](await loadContender(contender), Number(size))
const text = JSON.stringify(figures, (_key, value) =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
)
// Some contenders keep timers that nobody can stop.
process.stdout.write(text, () => process.exit(0))
