import process from 'node:process'
import { type ContenderName, loadContender } from './contenders.ts'
import type { Work } from './measured-process.ts'
import { measureCreation } from './workloads/creation.ts'
import { measureGrowth } from './workloads/growth.ts'
import { measureHour } from './workloads/hour.ts'
import { measureLiveSessions } from './workloads/live-sessions.ts'
import { measureControl, measureMassExpiry } from './workloads/mass-expiry.ts'

// The measuring side of measured-process.ts: `measure.ts <work> <contender> <size>`, figures as JSON on
// stdout.
const works = {
  creation: measureCreation,
  'live-sessions': measureLiveSessions,
  'mass-expiry': measureMassExpiry,
  control: measureControl,
  hour: measureHour,
  growth: measureGrowth,
  'growth-with-spare-cpu': measureGrowth,
} satisfies Record<Work, unknown>

const [work, contender, size] = process.argv.slice(2) as [Work, ContenderName, string]
const figures = await works[work](await loadContender(contender), Number(size))
const text = JSON.stringify(figures, (_key, value) =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
)
// Some contenders keep timers that nobody can stop.
process.stdout.write(text, () => process.exit(0))
