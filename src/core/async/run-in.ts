import type { AsyncResource } from 'node:async_hooks'

/** Calls `fn` in an async context, or in the present one if that was not captured. */
export function runIn<R>(context: AsyncResource | undefined, fn: () => R): R {
  return context === undefined ? fn() : context.runInAsyncScope(fn)
}
