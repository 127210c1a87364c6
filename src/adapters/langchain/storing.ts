import { AsyncLocalStorage } from 'node:async_hooks'
import type { Runnable, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'

/** What became of the histories within one call of a runnable. */
class Storing {
  readonly signal: AbortSignal
  isExpected = false
  isDone = false
  isOver = false
  failure: { readonly error: unknown } | undefined

  constructor(signal: AbortSignal) {
    this.signal = signal
  }
}

const current = new AsyncLocalStorage<Storing>()

/**
 * Does `work`, and fails where a history failed in it or has not come to storing.
 *
 * `RunnableWithMessageHistory` stores its messages in a listener, and what a listener throws LangChain only prints.
 */
export function storingOrFailing<R>(signal: AbortSignal, work: () => Promise<R>): Promise<R> {
  const storing = new Storing(signal)
  return current.run(storing, async () => {
    const result = await work().finally(() => {
      storing.isOver = true
    })
    if (storing.failure !== undefined) throw storing.failure.error
    if (storing.isExpected && !storing.isDone) {
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
 * What was aborted may go on behind our back, since LangChain waits for nobody then: it stores nothing any more, for that
 * would come in between later turns.
 */
export async function notingFailure<R>(work: () => Promise<R>): Promise<R> {
  const storing = current.getStore()
  try {
    if (storing !== undefined && isLate(storing)) throw storing.signal.reason
    return await work()
  } catch (error) {
    if (storing !== undefined) storing.failure ??= { error }
    throw error
  }
}

function isLate({ isOver, signal }: Storing): boolean {
  return isOver && signal.aborted
}

/** The same `RunnableWithMessageHistory`, whose histories, of whatever class, are seen to store or to fail. */
export function notingHistories<R extends Runnable>(runnable: R): R {
  const stock = runnable as unknown as RunnableWithMessageHistory<unknown, unknown>
  const getMessageHistory = async (...given: unknown[]) => {
    const history = await stock.getMessageHistory(...given)
    const storing = current.getStore()
    if (storing === undefined) return history
    storing.isExpected = true
    return new Proxy(history, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        // Bound to the history itself, which may have private fields.
        const method = value.bind(target)
        if (key === 'getMessages') return () => notingFailure(method)
        if (key !== 'addMessages') return method
        return async (messages: unknown) => {
          // It is the listener of an aborted call that comes late, and it has nobody to tell.
          if (isLate(storing)) return
          await notingFailure(async () => method(messages))
          storing.isDone = true
        }
      },
    })
  }
  return Object.create(runnable, { getMessageHistory: { value: getMessageHistory } }) as R
}
