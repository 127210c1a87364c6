import { AsyncResource } from 'node:async_hooks'
import { type Clock, nextLoopIteration, Timer, type TimerOptions } from '../time/clock.ts'
import { exitScope } from '../turns/turn-scope.ts'

function newResource(): AsyncResource {
  return new AsyncResource('SessionRegistry')
}

/**
 * The async context in which a registry was constructed.
 *
 * What a registry does by itself runs in it: sweeps, timeouts, evictions, archives, and their events.
 * Otherwise it would run in the context of the visitor who happened to set it off, and keep that visitor's
 * request in memory.
 */
export class ConstructionContext {
  // Nothing but `newResource` is ever called in it.
  readonly #origin = exitScope(newResource)

  /**
   * A resource of this context, for one entry into it.
   *
   * Up to Node 22 what code sets with an `AsyncLocalStorage` is set on the resource in which it was called. A
   * listener that uses `enterWith` would otherwise change the context of all that comes after it.
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
   * The host's timer would keep the context in which it was started, and a manual clock calls `fn` in the
   * context of the caller that moves it. So both the start and the call are in here.
   */
  timer(clock: Clock, fn: () => void, ms: number, options: TimerOptions = {}): Timer {
    return this.run(() => new Timer(clock, () => this.run(fn), ms, options))
  }

  /** {@link nextLoopIteration} for work that belongs to no caller. */
  nextLoopIteration(fn: () => void, options: { readonly keepsAlive?: boolean } = {}): void {
    this.run(() => nextLoopIteration(fn, options))
  }
}
