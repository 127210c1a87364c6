import { pause } from '../../core/storing/pause.ts'
import { realClock } from '../../core/time/clock.ts'

/**
 * The longest time for which a call is repeated, in milliseconds: a scanner or reader closes a file sooner.
 */
const patienceMs = 500
const stepMs = 20

/** Codes of Windows for a file that another process has open. */
const codes = ['EPERM', 'EACCES', 'EBUSY']

/** Calls a function of the file system, and again while another process may have the file open. */
export async function repeatWhileInUse<R>(call: () => Promise<R>): Promise<R> {
  const startedAt = realClock.now()
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!hasCode(error, ...codes) || realClock.now() - startedAt >= patienceMs) throw error
    }
    await pause(stepMs)
  }
}

/** Reports whether a failure of the file system has one of these codes. */
export function hasCode(error: unknown, ...known: readonly string[]): boolean {
  return known.includes(String((error as { readonly code?: unknown } | undefined)?.code))
}
