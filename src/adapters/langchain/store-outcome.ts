import { AsyncLocalStorage } from 'node:async_hooks'
import type { Runnable, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'

/** What became of the histories within one call of a runnable. */
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
 * Does `work`, and fails where a history failed in it or has not come to storing.
 *
 * `RunnableWithMessageHistory` stores its messages in a listener, and what a listener throws LangChain only
 * prints.
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
 * Does a history's work, and remembers its failure for the call of the runnable that may swallow it.
 *
 * What was aborted may go on behind our back, since LangChain waits for nobody then: it stores nothing any
 * more, for that would come in between later turns.
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

function isLate({ isSettled: isOver, signal }: StoreOutcome): boolean {
  return isOver && signal.aborted
}

/**
 * The same `RunnableWithMessageHistory`, whose histories, of whatever class, are seen to store or to fail.
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
          // It is the listener of an aborted call that comes late, and it has nobody to tell.
          if (isLate(outcome)) return
          await recordingFailure(async () => method(messages))
          outcome.isDone = true
        }
      },
    })
  }
  return Object.create(runnable, { getMessageHistory: { value: getMessageHistory } }) as R
}
