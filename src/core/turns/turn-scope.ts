import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Work in an async context for one session id of one registry: a turn, or a hook of the user.
 *
 * Scopes nest: a turn of one session may run a turn of another. Whatever is created in a scope (sockets,
 * timers, snapshots) keeps it. So it is a small token that drops its work when the work has ended.
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
    // Not those that have ended: where each turn starts the next one, they would become an endless chain.
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

  enter(): void {
    currentScope.enterWith(this)
  }

  end(): void {
    this.#owner = undefined
    this.#id = ''
    this.#work = undefined
  }
}

/** Work that has a scope, for callbacks that enter it later. */
export abstract class ScopedWork {
  #scope: Scope | undefined = undefined

  /** Calls `fn` as part of this work, with everything that it does, across `await` too. */
  runIn<R>(owner: object, id: string, fn: () => R): R {
    this.#scope = new Scope(owner, id, this)
    return this.#scope.run(fn)
  }

  /**
   * Makes the rest of the present call part of this work. Only in an `AsyncResource` of its own, which
   * restores the context of its caller: this costs half of {@link runIn} from Node 24 on.
   */
  protected enterScope(owner: object, id: string): void {
    this.#scope = new Scope(owner, id, this)
    this.#scope.enter()
  }

  /** Calls `fn` as part of this work, if it has begun and not ended. */
  reenter<R>(fn: () => R): R {
    return this.#scope === undefined ? fn() : this.#scope.run(fn)
  }

  /**
   * Ends the scope: what continues in its async context is no longer part of this work, and keeps nothing of
   * it.
   */
  endScope(): void {
    this.#scope?.end()
    this.#scope = undefined
  }
}

const currentScope = new AsyncLocalStorage<Scope | undefined>()

/**
 * Returns the innermost work of `owner` that the caller is a part of and that is not skipped; with `id`, of
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
 * Calls `fn` outside of any work.
 *
 * For what a registry does in the background: a timer that was started in a turn, or an archive that a turn
 * happened to cause, is not part of that turn.
 */
export function exitScope<R>(fn: () => R): R {
  return currentScope.getStore() === undefined ? fn() : currentScope.run(undefined, fn)
}

function nearest(from: Scope | undefined, matches: (scope: Scope) => boolean): Scope | undefined {
  let scope = from
  while (scope !== undefined && !matches(scope)) scope = scope.outer
  return scope
}
