import { invalidOption } from '../core/options/validate.ts'
import { emitWarning } from '../core/process/warning.ts'
import { type Clock, type FullClock, systemClock } from '../core/time/clock.ts'

/**
 * Returns a user's clock with nothing left out, whose readings are finite numbers.
 *
 * `NaN` is neither before nor after any deadline: a sweep would never come to its end. A reading that is no
 * finite number is passed over, and the last one holds.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function checkedClock(clock: Clock | undefined): FullClock {
  if (clock === undefined) return systemClock
  if (!isClock(clock))
    throw invalidOption('clock', 'an object with now, setTimeout, clearTimeout and perhaps date', clock)
  let last = 0
  let hasWarned = false
  return {
    now: () => {
      const now = clock.now()
      if (Number.isFinite(now)) {
        last = now
      } else if (!hasWarned) {
        hasWarned = true
        emitWarning('Expected `clock.now()` to return a finite number; until it does, the last reading holds')
      }
      return last
    },
    setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
    clearTimeout: (handle) => clock.clearTimeout(handle),
    date: () => {
      const date = clock.date?.()
      return Number.isFinite(date) ? (date as number) : systemClock.date()
    },
  }
}

function isClock(clock: Clock): boolean {
  return (
    typeof clock === 'object' &&
    clock !== null &&
    typeof clock.now === 'function' &&
    typeof clock.setTimeout === 'function' &&
    typeof clock.clearTimeout === 'function' &&
    (clock.date === undefined || typeof clock.date === 'function')
  )
}
