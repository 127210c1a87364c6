import type { EndReason } from '../../core/end-reason.ts'
import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { GoneSession } from '../../core/gone-session.ts'
import type { SessionLifetime } from '../../core/session-lifetime.ts'

const units = [
  ['day', 24 * 3_600_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** Returns a duration in words: in the largest unit of which it is a whole number, or in seconds. */
function durationText(ms: number): string {
  const [unit, unitMs] = units.find(([, unitMs]) => Number.isInteger(ms / unitMs)) ?? ['second', 1_000]
  const count = ms / unitMs
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** Returns the sentence about the lifetime of handles, for the description of the tool that creates them. */
export function policyText(argument: string, lifetime: SessionLifetime | undefined): string {
  const subject = `A \`${argument}\``
  if (lifetime === undefined) return `${subject} can expire: a tool then answers that it is gone.`
  const { idleMs, ageMs } = lifetime
  const idle = `when it has not been used for ${durationText(idleMs)}`
  const age = `${durationText(ageMs)} after its creation`
  if (Number.isFinite(idleMs))
    return `${subject} expires ${idle}${Number.isFinite(ageMs) ? `, and ${age} at the latest` : ''}.`
  return Number.isFinite(ageMs) ? `${subject} expires ${age}.` : `${subject} does not expire with time.`
}

const endings: Readonly<Record<EndReason, string>> = {
  idle: 'expired at {at}, since it had not been used for too long',
  age: 'expired at {at}, since it had reached its greatest age',
  capacity: 'was ended at {at}, to make room for others',
  deleted: 'was dropped at {at}',
  replaced: 'was ended at {at}',
  closed: 'was ended at {at}, when the server stopped',
}

/** Returns what the owner of a handle that is gone is told. */
export function goneText(argument: string, { reason, endedAt }: GoneSession): string {
  const ending = endings[reason].replace('{at}', new Date(endedAt).toISOString())
  return `This \`${argument}\` ${ending}. Call the tool that creates a \`${argument}\`, and use the new one.`
}

/** Returns what anyone else is told: the same for a handle that is unknown and for that of another owner. */
export function unknownText(argument: string): string {
  return `There is no such \`${argument}\`.`
}

const refusals: Readonly<Record<string, string>> = {
  ERR_SESSION_REGISTRY_FULL:
    'There is no room for another `{argument}` at the moment. Try again later, or drop one that you no longer need.',
  ERR_SESSION_OWNER_FULL:
    'You have as many of `{argument}` as one caller may have. Use one of them, or drop one that you no longer need.',
  ERR_SESSION_QUEUE_FULL: 'Too many calls are waiting for this `{argument}`. Try again later.',
  ERR_SESSION_REGISTRY_CLOSED: 'The server is shutting down. Try again later.',
}

/**
 * Returns what the caller is told where a registry refuses a call that is in order: it is full, say.
 * `undefined`: the error is of another kind.
 */
export function refusalText(argument: string, error: unknown): string | undefined {
  return isSessionRegistryError(error)
    ? refusals[error.code]?.replace('{argument}', () => argument)
    : undefined
}
