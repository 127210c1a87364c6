import type { MakeContender } from '../contender.ts'
import { makeIds } from '../session-ids.ts'
import { warmUp } from './warm-up.ts'

export interface HourFigures {
  /** All work of the hour, sweeps included, per request. */
  readonly requestNs: number
  readonly longestSweepMs: number
  /** Sessions in memory at the end of the hour, per present visitor. */
  readonly keptPerVisitor: number
}

const stepMs = 10_000
const stepsPerHour = 360
const stepsPerSweep = 30
/** Share of the present visitors that use their session, every 30 seconds each. */
const activeShare = 0.6
/** Share of visitors replaced in each step: all change about twice in the hour. */
const leavingShare = 0.005

/** Measures the work of a server's hour on a clock moved by hand, with a sweep every five minutes. */
export async function measureHour(make: MakeContender, visitors: number): Promise<HourFigures> {
  warmUp(make)
  const present = makeIds(visitors)
  const leaving = Math.round(visitors * leavingShare)
  const arrivals = makeIds(leaving * stepsPerHour)
  const requests = Math.round((visitors * activeShare * stepMs) / 30_000)
  const clock = moveClocks()
  const options = { timeoutMs: 20 * 60_000, intervalMs: 2 ** 30, isClockMoved: true }
  const contender = make(options)
  let workMs = 0
  let longestSweepMs = 0
  for (let step = 1; step <= stepsPerHour; step += 1) {
    for (let gone = 0; gone < leaving; gone += 1) {
      present[Math.floor(Math.random() * visitors)] = arrivals.pop() as string
    }
    // The active visitors are a moving window, so that each of them pauses at times.
    const from = Math.floor((step / stepsPerHour) * visitors * 4)
    const asking = Array.from(
      { length: requests },
      () => present[(from + Math.floor(Math.random() * visitors * activeShare)) % visitors] as string,
    )
    const startedAt = clock.realNow()
    for (const id of asking) contender.getOrCreate(id)
    await new Promise(setImmediate)
    workMs += clock.realNow() - startedAt
    clock.advance(stepMs)
    if (step % stepsPerSweep !== 0) continue
    const sweepStartedAt = clock.realNow()
    contender.sweep?.()
    const sweepMs = clock.realNow() - sweepStartedAt
    workMs += sweepMs
    longestSweepMs = Math.max(longestSweepMs, sweepMs)
  }
  return {
    requestNs: (workMs * 1e6) / (requests * stepsPerHour),
    longestSweepMs: contender.sweep === undefined ? Number.NaN : longestSweepMs,
    keptPerVisitor: contender.size() / visitors,
  }
}

/** Replaces all clocks by ones that are moved by hand. The process exits afterwards, so none is restored. */
function moveClocks() {
  const realNow = performance.now.bind(performance)
  let shiftedNow = realNow()
  const epoch = Date.now() - shiftedNow
  performance.now = () => shiftedNow
  const date = () => Math.floor(epoch + shiftedNow)
  globalThis.Date = class extends Date {
    static override now = date
    constructor(...parts: []) {
      if (parts.length === 0) super(date())
      else super(...parts)
    }
  } as DateConstructor
  return {
    realNow,
    advance(ms: number) {
      shiftedNow += ms
    },
  }
}
