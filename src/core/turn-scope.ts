import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * What is under way in this async context for one session id of one registry: a turn, or one of the user's hooks.
 *
 * Scopes nest: a turn of one session may run a turn of another.
 */
interface Scope {
  readonly owner: object
  readonly id: string
  readonly work: object
  readonly outer: Scope | undefined
}

/** One call of a user's hook (`load`, `archive`), as the work of a scope. */
export class HookCall {
  /** Work that a hook has left behind goes on in its async context, but waits for nothing of it. */
  isOver = false
}

const current = new AsyncLocalStorage<Scope | undefined>()

/** Calls `fn` so that everything it does, across `await` too, is known to be part of `work`. */
export function runInScope<R>(owner: object, id: string, work: object, fn: () => R): R {
  return current.run({ owner, id, work, outer: current.getStore() }, fn)
}

/** The innermost work of `owner` on `id` that this code is a part of, and that is not to be passed over. */
export function findScope(
  owner: object,
  id: string,
  passOver: (work: object) => boolean = () => false,
): object | undefined {
  for (let scope = current.getStore(); scope !== undefined; scope = scope.outer) {
    if (scope.owner === owner && scope.id === id && !passOver(scope.work)) return scope.work
  }
  return undefined
}

/**
 * Calls `fn` as part of no work at all.
 *
 * For what a registry does on its own: a timer that was started in the middle of a turn, or an archive that a turn
 * happened to set off, is not a part of that turn.
 */
export function outsideScopes<R>(fn: () => R): R {
  return current.getStore() === undefined ? fn() : current.run(undefined, fn)
}
