import { reentrant } from './refusals.ts'
import { TurnCall } from './turn-call.ts'
import { findScope, HookCall } from './turn-scope.ts'

/**
 * The running turn of this id that the caller is a part of, in the same async context.
 *
 * @throws SessionRegistryError `ERR_SESSION_REENTRANT` in a hook of the id; why the turn was cut, if it was
 */
export function outerTurn<C extends TurnCall<T>, T>(owner: object, id: string): C | undefined {
  const work = findScope(owner, id, isOver)
  if (work instanceof HookCall) throw reentrant()
  if (!(work instanceof TurnCall)) return undefined
  // A turn that was cut off must not go on through a nested one.
  if (work.phase === 'cut') throw work.cutReason
  return work as C
}

/** The same for those who only want to see its session: nothing where it is cut, nor in a hook. */
export function runningTurn<C extends TurnCall<T>, T>(owner: object, id: string): C | undefined {
  const work = findScope(owner, id, isOver)
  return work instanceof TurnCall && work.phase === 'running' ? (work as C) : undefined
}

/** What a turn or hook has left behind is no longer part of it, though perhaps of a turn around it. */
function isOver(work: object): boolean {
  return work instanceof HookCall ? work.isOver : work instanceof TurnCall && work.phase === 'over'
}
