import { pause } from '../../core/storing/pause.ts'
import { realClock } from '../../core/time/clock.ts'

/**
 * How long a failure of these kinds is repeated: what causes it is a scanner or a reader that has the file
 * open.
 */
const patienceMs = 500
const stepMs = 20

/** What Windows answers while another process has a file open that is to be renamed, replaced or read. */
const codes = ['EPERM', 'EACCES', 'EBUSY']

/** Calls a function of the file system again while its failure may be passing. */
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
