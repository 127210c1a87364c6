import type { InspectedSession } from '../../core/watching/inspected-session.ts'

/** Sessions in each of the two lists: more would be no use to a reader, and each poll sends all of them. */
const maxListed = 200

/** A session on the page. Without its id and its owner. */
interface ListedSession {
  readonly ref: string
  readonly state: InspectedSession['state']
  readonly ageMs: number
  readonly idleMs: number
  readonly running: InspectedSession['running']
  readonly waiting: number
  /** The number of holds, and the milliseconds since the first of them was taken. */
  readonly holds: number
  readonly heldMs: number | undefined
  readonly attempts: number | undefined
}

export interface SessionLists {
  /** Sessions that something uses, waits for, brings or puts away: those that have been so for longest. */
  readonly busy: readonly ListedSession[]
  /** All others, the idle longest first. */
  readonly idle: readonly ListedSession[]
}

/** Returns a bounded number of sessions for the page, and their ids by ref, which stay in the process. */
export function listSessions(sessions: readonly InspectedSession[]): {
  readonly lists: SessionLists
  readonly ids: ReadonlyMap<string, string>
} {
  const busy = sessions.filter((one) => isBusy(one)).sort((a, b) => busyMs(b) - busyMs(a))
  const idle = sessions.filter((one) => !isBusy(one)).sort((a, b) => b.idleMs - a.idleMs)
  const shownBusy = busy.slice(0, maxListed)
  const shownIdle = idle.slice(0, maxListed)
  return {
    lists: { busy: shownBusy.map(listed), idle: shownIdle.map(listed) },
    ids: new Map([...shownBusy, ...shownIdle].map(({ ref, id }) => [ref, id])),
  }
}

function isBusy({ state, waiting }: InspectedSession): boolean {
  return (state !== 'active' && state !== 'expired') || waiting > 0
}

/** For how long a session has been in use, or has been loaded or created. */
function busyMs({ state, running, holds, ageMs }: InspectedSession): number {
  const coming = state === 'creating' || state === 'loading' ? ageMs : 0
  return Math.max(coming, running?.sinceMs ?? 0, longest(holds) ?? 0)
}

function longest(holds: InspectedSession['holds']): number | undefined {
  return holds.length === 0 ? undefined : holds.reduce((max, { sinceMs }) => Math.max(max, sinceMs), 0)
}

function listed({
  ref,
  state,
  ageMs,
  idleMs,
  running,
  waiting,
  holds,
  attempts,
}: InspectedSession): ListedSession {
  return {
    ref,
    state,
    ageMs,
    idleMs,
    running,
    waiting,
    holds: holds.length,
    heldMs: longest(holds),
    attempts,
  }
}
