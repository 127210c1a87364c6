import { reentrant } from './refusals.ts'
import { TurnCall } from './turn-call.ts'
import { findScope, HookCall, type ScopedWork } from './turn-scope.ts'

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

/** The innermost turn of this registry that the caller is a part of, whatever its session, until its function settles. */
export function innermostTurn<C extends TurnCall<T>, T>(owner: object): C | undefined {
  const work = findScope(
    owner,
    undefined,
    (candidate) => !(candidate instanceof TurnCall) || isOver(candidate),
  )
  return work as C | undefined
}

/** What a turn has left behind is no longer part of it, though perhaps of a turn around it. */
function isOver(work: ScopedWork): boolean {
  return work instanceof TurnCall && work.phase === 'over'
}
