import { type InspectOptions, inspect } from 'node:util'
import type { Session, SessionFields } from './session.ts'

/** Returns the fields of a session as they are now, in a plain object. */
export function fieldsOf<T>(session: Session<T>): SessionFields<T> {
  return { ...headOf(session), value: session.value, ...timesOf(session) }
}

/** Returns what `util.inspect` shows of a session: its fields, and only the outermost level of its value. */
export function inspectSession<T>(session: Session<T>, depth: number, options: InspectOptions): string {
  if (depth < 0) return '[Session]'
  const value = { [inspect.custom]: () => shownValue(session, options) }
  return `Session ${inspect({ ...headOf(session), value, ...timesOf(session) }, options)}`
}

function headOf<T>({ id, incarnation }: Session<T>) {
  return { id, incarnation }
}

function timesOf<T>({ createdAt, lastActiveAt, idleMs, ageMs, timeoutMs, owner, held }: Session<T>) {
  return {
    createdAt,
    lastActiveAt,
    idleMs,
    ageMs,
    timeoutMs,
    ...(owner === undefined ? {} : { owner }),
    held,
  }
}

function shownValue<T>(session: Session<T>, options: InspectOptions): string {
  try {
    return inspect(session.value, { ...options, depth: 0 })
  } catch {
    // The value cannot be decoded or shown. Printing for a person must not throw.
    return '[unreadable]'
  }
}
