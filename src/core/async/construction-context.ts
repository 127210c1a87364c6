import { AsyncResource } from 'node:async_hooks'
import { type Clock, nextLoopIteration, Timer, type TimerOptions } from '../time/clock.ts'
import { exitScope } from '../turns/turn-scope.ts'

function newResource(): AsyncResource {
  return new AsyncResource('SessionRegistry')
}

function newTimer(clock: Clock, fn: () => void, ms: number, options: TimerOptions): Timer {
  return new Timer(clock, fn, ms, options)
}

/**
 * The async context in which a registry was constructed.
 *
 * Background work of a registry runs in it: sweeps, timeouts, evictions, archives, and their events.
 * Otherwise it would run in the context of the visitor that happened to cause it, and keep the request of
 * that visitor in memory.
 */
export class ConstructionContext {
  // No code of a user is ever called in it, which could change it.
  readonly #origin = exitScope(newResource)

  /**
   * A new resource of this context, for one entry into it.
   *
   * Up to Node 22, an `AsyncLocalStorage` is set on the resource of the caller. So a listener that uses
   * `enterWith` would change the context of everything after it.
   */
  get resource(): AsyncResource {
    return this.#origin.runInAsyncScope(newResource)
  }

  run<R>(fn: () => R): R {
    return this.resource.runInAsyncScope(fn)
  }

  /**
   * Starts a timer that belongs to no caller.
   *
   * A host timer keeps the context in which it was started, and a manual clock calls `fn` in the context of
   * the caller that advances it. So both the start and the call are in here.
   */
  timer(clock: Clock, fn: () => void, ms: number, options: TimerOptions = {}): Timer {
    return this.#origin.runInAsyncScope(newTimer, undefined, clock, () => this.run(fn), ms, options)
  }

  /** {@link nextLoopIteration} for work that belongs to no caller. */
  nextLoopIteration(fn: () => void, options: { readonly keepsAlive?: boolean } = {}): void {
    this.run(() => nextLoopIteration(fn, options))
  }
}
