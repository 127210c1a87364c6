import { refOf } from '../ids/id-ref.ts'
import type { WhenBusy } from '../turns/turn.ts'

/**
 * What a session in memory is doing.
 *
 * - `active`: live, and not in use
 * - `held`: a turn or a hold keeps it from ending
 * - `expired`: it has expired, and nothing has removed it yet
 * - `creating`: its value is being made, or waits for room
 * - `loading`: it is being looked for, or its value waits for room
 * - `archiving`: it is being archived, or waits for that
 * - `disposing`: its value is being disposed of, or a turn still uses it
 */
export type InspectedState =
  | 'active'
  | 'held'
  | 'expired'
  | 'creating'
  | 'loading'
  | 'archiving'
  | 'disposing'

/** One session, as `inspect()` shows it. */
export interface InspectedSession {
  /** The keyed hash of the id, as log lines show it by default. */
  readonly ref: string
  readonly id: string
  readonly state: InspectedState
  /**
   * Milliseconds since the creation of the session; of one that is being loaded or created, since that began.
   */
  readonly ageMs: number
  /** Milliseconds since the last activity; 0 while the session is held. */
  readonly idleMs: number
  /** To whom it belongs; absent if to no one. */
  readonly owner?: string
  /**
   * The turn that runs, and the milliseconds since it began: the one that excludes others, else the first of
   * those that join. Absent if none runs.
   */
  readonly running?: { readonly sinceMs: number; readonly whenBusy: WhenBusy }
  /**
   * The number of calls that wait for it: turns for their start; while it is being loaded, created, archived
   * or disposed of, also `open` and `acquire`.
   */
  readonly waiting: number
  /** Its holds, each with the milliseconds since it was taken. */
  readonly holds: readonly { readonly sinceMs: number }[]
  /** Of a session that is being archived, the attempts that have begun. */
  readonly attempts?: number
}

type Required = 'id' | 'state' | 'ageMs' | 'idleMs'
type Optional = 'owner' | 'running' | 'waiting' | 'holds' | 'attempts'

/** What is known of a session that is inspected. */
export type InspectedParts = Pick<InspectedSession, Required> & {
  readonly [K in Optional]?: InspectedSession[K] | undefined
}

/** Returns the entry of a session. */
export function inspectedSession(parts: InspectedParts): InspectedSession {
  const { id, state, ageMs, idleMs, owner, running, waiting = 0, holds = [], attempts } = parts
  return {
    ref: refOf(id),
    id,
    state,
    ageMs,
    idleMs,
    ...(owner === undefined ? {} : { owner }),
    ...(running === undefined ? {} : { running }),
    waiting,
    holds,
    ...(attempts === undefined ? {} : { attempts }),
  }
}

/** Returns what is shown of a turn that runs. */
export function inspectedTurn(
  { startedAt, whenBusy }: { readonly startedAt: number; readonly whenBusy: WhenBusy },
  now: number,
): NonNullable<InspectedSession['running']> {
  return { sinceMs: now - startedAt, whenBusy }
}
