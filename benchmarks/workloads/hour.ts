import type { MakeContender } from '../contender.ts'
import { makeIds } from '../session-ids.ts'
import { warmUp } from './warm-up.ts'

export interface HourFigures {
  /** All that the hour cost, sweeps included, by request. */
  readonly requestNs: number
  readonly longestSweepMs: number
  /** Sessions in memory at the end of the hour, by visitor who is there. */
  readonly keptPerVisitor: number
}

const stepMs = 10_000
const stepsPerHour = 360
const stepsPerSweep = 30
/**
 * Of those who are there, so many ask something, each every 30 seconds. The others read, or have left unseen.
 */
const activeShare = 0.6
/** Leave for good in each step, and as many arrive: all have changed about twice in the hour. */
const leavingShare = 0.005

/**
 * An hour of a server in the time that its work takes: the clock is moved, a sweep comes every five minutes.
 */
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
    // The active ones are a window that moves on: everybody pauses now and then.
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

/** All clocks stand still until they are moved. The process is over afterwards, so nothing is put back. */
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
