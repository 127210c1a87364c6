import type { MakeContender } from '../contender.ts'
import { watchLoop } from '../loop-watch.ts'
import { makeIds } from '../session-ids.ts'
import { warmUp } from './warm-up.ts'

export interface DueAtOnceFigures {
  readonly longestHoldMs: number
  /** `Infinity` where what is over stays. */
  readonly goneAfterMs: number
  /** How many of them a listener was told; `NaN` where nobody is told. */
  readonly told: number
}

const giveUpAfterMs = 10_000

/** Creates sessions, keeps the loop until all are over, and lets the background do what it does. */
export async function measureDueAtOnce(make: MakeContender, size: number): Promise<DueAtOnceFigures> {
  warmUp(make)
  const ids = makeIds(size)
  for (let timeoutMs = 500 + size * 0.003; ; timeoutMs *= 2) {
    const figures = await tryWith(make, ids, timeoutMs)
    if (figures !== undefined) return figures
  }
}

/** `undefined` where the creation took so long that the first was over before the last was there. */
async function tryWith(
  make: MakeContender,
  ids: readonly string[],
  timeoutMs: number,
): Promise<DueAtOnceFigures | undefined> {
  let told = 0
  const onExpired = () => {
    told += 1
  }
  const contender = make({ timeoutMs, intervalMs: timeoutMs, onExpired })
  const startedAt = performance.now()
  for (const id of ids) contender.getOrCreate(id)
  const createdAt = performance.now()
  if (createdAt - startedAt >= timeoutMs) {
    contender.close()
    return undefined
  }
  const dueAt = createdAt + timeoutMs + 50
  while (performance.now() < dueAt) {}
  const { longestHoldMs, doneAfterMs } = await watchLoop(() => contender.size() === 0, giveUpAfterMs)
  contender.close()
  return { longestHoldMs, goneAfterMs: doneAfterMs, told: told === 0 ? Number.NaN : told }
}

/** The same reading while nothing happens at all: what the machine itself adds. */
export async function measureControl(): Promise<DueAtOnceFigures> {
  const startedAt = performance.now()
  const { longestHoldMs } = await watchLoop(() => performance.now() - startedAt >= 2_000, 3_000)
  return { longestHoldMs, goneAfterMs: Number.NaN, told: Number.NaN }
}
