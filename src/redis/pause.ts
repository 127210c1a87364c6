import { type Clock, realClock, Timer } from '../core/time/clock.ts'

/** A wait that can be cut short. */
export interface Pause {
  readonly elapsed: Promise<void>
  finish(): void
}

/** Keeps the process alive unless asked otherwise: somebody waits for what comes after it. */
export function pause(
  ms: number,
  { keepsAlive, clock = realClock }: { readonly keepsAlive: boolean; readonly clock?: Clock } = {
    keepsAlive: true,
  },
): Pause {
  let finish: () => void = () => {}
  const elapsed = new Promise<void>((resolve) => {
    const timer = new Timer(clock, resolve, ms, { keepsAlive })
    finish = () => {
      timer.cancel()
      resolve()
    }
  })
  return { elapsed, finish }
}

/** Between half of `ms` and all of it, so that many who wait alike do not come back together. */
export function jitter(ms: number): number {
  return ms * (0.5 + Math.random() / 2)
}
