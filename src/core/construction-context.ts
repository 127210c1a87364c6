import { AsyncResource } from 'node:async_hooks'
import { afterLoopTurn, type Clock, Timer, type TimerOptions } from './clock.ts'
import { outsideScopes } from './turn-scope.ts'

/**
 * The async context in which a registry was constructed.
 *
 * What a registry does by itself runs in it: sweeps, timeouts, evictions, archives, and their events. Otherwise it would run
 * in the context of the visitor who happened to set it off, and keep that visitor's request in memory.
 */
export class ConstructionContext {
  // One resource for the life of the registry: entering it takes a few nanoseconds, making one is dearer.
  readonly resource = outsideScopes(() => new AsyncResource('SessionRegistry'))

  run<R>(fn: () => R): R {
    return this.resource.runInAsyncScope(fn)
  }

  /**
   * Starts a timer that belongs to no caller.
   *
   * The host's timer would keep the context in which it was started, and a manual clock calls `fn` in the context of the
   * caller that moves it. So both the start and the call are in here.
   */
  timer(clock: Clock, fn: () => void, ms: number, options: TimerOptions = {}): Timer {
    return this.run(() => new Timer(clock, () => this.run(fn), ms, options))
  }

  /** {@link afterLoopTurn} for work that belongs to no caller. */
  afterLoopTurn(fn: () => void, options: { readonly keepsAlive?: boolean } = {}): void {
    this.run(() => afterLoopTurn(fn, options))
  }
}
