import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * What is under way in an async context for one session id of one registry: a turn, or one of the user's
 * hooks.
 *
 * Scopes nest: a turn of one session may run a turn of another. Everything that is made in a scope keeps it:
 * sockets, timers, snapshots, for as long as they live. So it is a small token that forgets its work when the
 * work has ended.
 */
class Scope {
  #owner: object | undefined
  #id: string
  #work: ScopedWork | undefined
  readonly #outer: Scope | undefined

  constructor(owner: object, id: string, work: ScopedWork) {
    this.#owner = owner
    this.#id = id
    this.#work = work
    // Not those that have ended: where each turn sets off the next one, they would become a chain without
    // end.
    this.#outer = nearest(currentScope.getStore(), (scope) => scope.#work !== undefined)
  }

  get work(): ScopedWork | undefined {
    return this.#work
  }

  get outer(): Scope | undefined {
    return this.#outer
  }

  isOf(owner: object, id: string | undefined): boolean {
    return this.#owner === owner && (id === undefined || this.#id === id)
  }

  run<R>(fn: () => R): R {
    return currentScope.run(this, fn)
  }

  end(): void {
    this.#owner = undefined
    this.#id = ''
    this.#work = undefined
  }
}

/** Work that knows the scope in which it is done, for what is called back in it later. */
export abstract class ScopedWork {
  #scope: Scope | undefined = undefined

  /** Calls `fn` so that everything it does, across `await` too, is known to be part of this work. */
  runIn<R>(owner: object, id: string, fn: () => R): R {
    this.#scope = new Scope(owner, id, this)
    return this.#scope.run(fn)
  }

  /** Calls `fn` as a part of this work, where it has begun and not ended. */
  reenter<R>(fn: () => R): R {
    return this.#scope === undefined ? fn() : this.#scope.run(fn)
  }

  /** What goes on in its async context is no longer part of it, and keeps nothing of it. */
  endScope(): void {
    this.#scope?.end()
    this.#scope = undefined
  }
}

/** One call of a user's hook (`load`, `archive`), as the work of a scope, which ends as the call settles. */
export class HookCall extends ScopedWork {}

const currentScope = new AsyncLocalStorage<Scope | undefined>()

/** Calls `fn` so that everything it does, across `await` too, is known to be part of `work`. */
export function runInScope<R>(owner: object, id: string, work: ScopedWork, fn: () => R): R {
  return work.runIn(owner, id, fn)
}

/**
 * The innermost work of `owner` that this code is a part of, and that is not to be passed over; with `id`, on
 * that id.
 */
export function findScope(
  owner: object,
  id: string | undefined,
  skip: (work: ScopedWork) => boolean = () => false,
): ScopedWork | undefined {
  return nearest(
    currentScope.getStore(),
    (scope) => scope.isOf(owner, id) && scope.work !== undefined && !skip(scope.work),
  )?.work
}

/**
 * Calls `fn` as part of no work at all.
 *
 * For what a registry does on its own: a timer that was started in the middle of a turn, or an archive that a
 * turn happened to set off, is not a part of that turn.
 */
export function exitScope<R>(fn: () => R): R {
  return currentScope.getStore() === undefined ? fn() : currentScope.run(undefined, fn)
}

function nearest(from: Scope | undefined, matches: (scope: Scope) => boolean): Scope | undefined {
  let scope = from
  while (scope !== undefined && !matches(scope)) scope = scope.outer
  return scope
}
