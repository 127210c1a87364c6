import { HookCall } from '../async/hook-call.ts'
import { reentrantError } from '../errors/turn-errors.ts'
import { TurnCall } from './turn-call.ts'
import { findScope, type ScopedWork } from './turn-scope.ts'

/**
 * Returns the running turn of this id that the caller is a part of, in the same async context.
 *
 * @throws SessionRegistryError `ERR_SESSION_REENTRANT` in a hook of the id; the reason of the abort in an
 *   aborted turn
 */
export function outerTurn<C extends TurnCall<T>, T>(owner: object, id: string): C | undefined {
  const work = findScope(owner, id, isSettled)
  if (work instanceof HookCall) throw reentrantError()
  if (!(work instanceof TurnCall)) return undefined
  // An aborted turn must not go on through a nested one.
  if (work.phase === 'aborted') throw work.abortReason
  return work as C
}

/** Returns the running turn for a read of its session; `undefined` in an aborted turn and in a hook. */
export function runningTurn<C extends TurnCall<T>, T>(owner: object, id: string): C | undefined {
  const work = findScope(owner, id, isSettled)
  return work instanceof TurnCall && work.phase === 'running' ? (work as C) : undefined
}

/**
 * Returns the innermost turn of this registry that the caller is a part of, of any session, until its
 * function settles.
 */
export function innermostTurn<C extends TurnCall<T>, T>(owner: object): C | undefined {
  const work = findScope(
    owner,
    undefined,
    (candidate) => !(candidate instanceof TurnCall) || isSettled(candidate),
  )
  return work as C | undefined
}

/** What outlives a turn is no longer part of it, though perhaps of a turn around it. */
function isSettled(work: ScopedWork): boolean {
  return work instanceof TurnCall && work.phase === 'settled'
}
