import process from 'node:process'
import { type ContenderName, loadContender } from './contenders.ts'
import type { Work } from './measured-process.ts'
import { measureCreation } from './workloads/creation.ts'
import { measureGrowth } from './workloads/growth.ts'
import { measureHour } from './workloads/hour.ts'
import { measureLiveSessions } from './workloads/live-sessions.ts'
import { measureControl, measureMassExpiry } from './workloads/mass-expiry.ts'

// The program that measured-process.ts runs: `measure.ts <work> <contender> <size>` prints figures as JSON.
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
// Some contenders have timers that cannot be stopped.
process.stdout.write(text, () => process.exit(0))
