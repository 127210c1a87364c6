import type { RunOptions, Session, SessionRegistry } from 'session-registry'
import { type Deferred, deferred } from './deferred.ts'
import { type ObservedPromise, observe } from './observed-promise.ts'

/** A turn that has begun, and that the test continues. */
export interface BegunTurn {
  readonly session: Session<string[]>
  readonly signal: AbortSignal
  readonly run: ObservedPromise<string>
  readonly end: Deferred<string>
}

/** Begins a turn on a session that is in memory, or is created at once. */
export function beginTurn(registry: SessionRegistry<string[]>, id: string, options?: RunOptions): BegunTurn {
  const end = deferred<string>()
  let begun: { readonly session: Session<string[]>; readonly signal: AbortSignal } | undefined
  const run = observe(
    registry.run(
      id,
      (session, signal) => {
        begun = { session, signal }
        return end.promise
      },
      options,
    ),
  )
  if (begun === undefined) throw new Error('Expected the turn to begin at once')
  return { ...begun, run, end }
}
