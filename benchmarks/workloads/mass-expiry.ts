import type { MakeContender } from '../contender.ts'
import { watchLoop } from '../loop-watch.ts'
import { makeIds } from '../session-ids.ts'
import { warmUp } from './warm-up.ts'

export interface MassExpiryFigures {
  readonly longestBlockMs: number
  /** `Infinity` if expired sessions stay. */
  readonly goneAfterMs: number
  /** Number of sessions emitted to a listener; `NaN` if the library emits none. */
  readonly emitted: number
}

const maxWaitMs = 10_000

/** Creates sessions, blocks the event loop until all have expired, and watches the background sweep. */
export async function measureMassExpiry(make: MakeContender, size: number): Promise<MassExpiryFigures> {
  warmUp(make)
  const ids = makeIds(size)
  for (let timeoutMs = 500 + size * 0.003; ; timeoutMs *= 2) {
    const figures = await measureWith(make, ids, timeoutMs)
    if (figures !== undefined) return figures
  }
}

/** Returns `undefined` if the first session expired before the last was created. */
async function measureWith(
  make: MakeContender,
  ids: readonly string[],
  timeoutMs: number,
): Promise<MassExpiryFigures | undefined> {
  let emitted = 0
  const onExpired = () => {
    emitted += 1
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
  const { longestBlockMs, doneAfterMs } = await watchLoop(() => contender.size() === 0, maxWaitMs)
  contender.close()
  return { longestBlockMs, goneAfterMs: doneAfterMs, emitted: emitted === 0 ? Number.NaN : emitted }
}

/** Measures the same without any work: the share of the machine itself. */
export async function measureControl(): Promise<MassExpiryFigures> {
  const startedAt = performance.now()
  const { longestBlockMs } = await watchLoop(() => performance.now() - startedAt >= 2_000, 3_000)
  return { longestBlockMs, goneAfterMs: Number.NaN, emitted: Number.NaN }
}
