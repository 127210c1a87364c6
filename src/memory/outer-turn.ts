import { reentrant } from '../core/refusals.ts'
import { findScope, HookCall } from '../core/turn-scope.ts'
import { TurnRun } from './turn-run.ts'

/**
 * The running turn of this id that the caller is a part of, in the same async context.
 *
 * @throws SessionRegistryError `ERR_SESSION_REENTRANT` in a hook of the id; why the turn was cut, if it was
 */
export function outerTurn<T>(owner: object, id: string): TurnRun<T> | undefined {
  const work = findScope(owner, id, isOver)
  if (work instanceof HookCall) {
    throw reentrant()
  }
  if (!(work instanceof TurnRun)) return undefined
  // A turn that was cut off must not go on through a nested one.
  if (work.phase === 'cut') throw work.cutReason
  return work
}

/** What a turn or hook has left behind is no longer part of it, though perhaps of a turn around it. */
function isOver(work: object): boolean {
  return work instanceof HookCall ? work.isOver : work instanceof TurnRun && work.phase === 'over'
}
