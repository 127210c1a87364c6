import { findScope, ScopedWork } from '../../core/turns/turn-scope.ts'

/**
 * A turn of `sessionTurns`, which a storage finds also where its source only passes calls on to a registry.
 */
class UpdateTurn extends ScopedWork {}

/** The owner of the scopes of a source: not the source, whose own scopes are those of a registry's turns. */
const scopeOwners = new WeakMap<object, object>()

/** Calls `fn` as a part of a turn that has begun. */
export async function inUpdateTurn<R>(source: object, id: string, fn: () => Promise<R>): Promise<R> {
  const turn = new UpdateTurn()
  const owner = scopeOwners.get(source) ?? {}
  scopeOwners.set(source, owner)
  try {
    return await turn.runIn(owner, id, fn)
  } finally {
    turn.endScope()
  }
}

/** Whether the caller is a part of a turn of this id, in the same async context. */
export function isInTurn(source: object, id: string): boolean {
  const owner = scopeOwners.get(source)
  return findScope(source, id) !== undefined || (owner !== undefined && findScope(owner, id) !== undefined)
}
