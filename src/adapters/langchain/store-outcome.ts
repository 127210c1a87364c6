import { AsyncLocalStorage } from 'node:async_hooks'
import type { Runnable, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'

/** The outcome of the histories within one call of a runnable. */
class StoreOutcome {
  readonly signal: AbortSignal
  isExpected = false
  isDone = false
  isSettled = false
  failure: { readonly error: unknown } | undefined

  constructor(signal: AbortSignal) {
    this.signal = signal
  }
}

const current = new AsyncLocalStorage<StoreOutcome>()

/**
 * Runs `work`, and rejects if a history in it failed or stored nothing.
 *
 * `RunnableWithMessageHistory` stores its messages in a listener, and LangChain only prints the errors of
 * listeners.
 */
export function runAndRequireStored<R>(signal: AbortSignal, work: () => Promise<R>): Promise<R> {
  const outcome = new StoreOutcome(signal)
  return current.run(outcome, async () => {
    const result = await work().finally(() => {
      outcome.isSettled = true
    })
    if (outcome.failure !== undefined) throw outcome.failure.error
    if (outcome.isExpected && !outcome.isDone) {
      throw new SessionRegistryError(
        'ERR_SESSION_VALUE_INVALID',
        'Expected the input and the output of the runnable to be messages, and could not store them',
      )
    }
    return result
  })
}

/**
 * Runs the work of a history, and records its failure for the call of the runnable, which may swallow it.
 *
 * The work of an aborted call may go on, since LangChain does not wait for it: it must store nothing any
 * more, in between later turns.
 */
export async function recordingFailure<R>(work: () => Promise<R>): Promise<R> {
  const outcome = current.getStore()
  try {
    if (outcome !== undefined && isLate(outcome)) throw outcome.signal.reason
    return await work()
  } catch (error) {
    if (outcome !== undefined) outcome.failure ??= { error }
    throw error
  }
}

function isLate({ isSettled, signal }: StoreOutcome): boolean {
  return isSettled && signal.aborted
}

/**
 * Returns a `RunnableWithMessageHistory` whose histories, of any class, record that they stored or failed.
 */
export function trackedHistory<R extends Runnable>(runnable: R): R {
  const stock = runnable as unknown as RunnableWithMessageHistory<unknown, unknown>
  const getMessageHistory = async (...args: unknown[]) => {
    const history = await stock.getMessageHistory(...args)
    const outcome = current.getStore()
    if (outcome === undefined) return history
    outcome.isExpected = true
    return new Proxy(history, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        // Bound to the history itself, which may have private fields.
        const method = value.bind(target)
        if (key === 'getMessages') return () => recordingFailure(method)
        if (key !== 'addMessages') return method
        return async (messages: unknown) => {
          // The late listener of an aborted call, which has no caller.
          if (isLate(outcome)) return
          await recordingFailure(async () => method(messages))
          outcome.isDone = true
        }
      },
    })
  }
  return Object.create(runnable, { getMessageHistory: { value: getMessageHistory } }) as R
}
