import { deferred } from '../support/deferred.ts'
import { type ObservedPromise, observe } from '../support/observed-promise.ts'
import type { ContractRegistry } from './harness.ts'

export interface StartedTurn {
  readonly signal: AbortSignal
  readonly run: ObservedPromise<string | undefined>
  /** Lets the turn add its message and end. */
  finish(): void
}

/** A turn that has begun, and adds its message and ends when the test releases it. */
export async function startTurn(
  registry: Pick<ContractRegistry, 'run'>,
  id: string,
  message = 'first',
): Promise<StartedTurn> {
  const started = deferred<AbortSignal>()
  const finished = deferred()
  const run = observe(
    registry.run(id, async (session, signal) => {
      started.resolve(signal)
      await finished.promise
      session.value.push(message)
      return message
    }),
  )
  return { signal: await started.promise, run, finish: () => finished.resolve() }
}
