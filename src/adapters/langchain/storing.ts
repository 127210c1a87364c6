import { AsyncLocalStorage } from 'node:async_hooks'
import { SessionRegistryError } from '../../core/errors.ts'

/** What became of the histories within one call of a runnable. */
class Storing {
  isUsed = false
  isStored = false
  failure: { readonly error: unknown } | undefined
}

const current = new AsyncLocalStorage<Storing>()

/** A history was asked for. */
export function noteHistory(): void {
  const storing = current.getStore()
  if (storing !== undefined) storing.isUsed = true
}

/** Does a history's work, and remembers its failure for the call of the runnable that may swallow it. */
export async function notingFailure<R>(work: () => Promise<R>, kind?: 'stores'): Promise<R> {
  const storing = current.getStore()
  try {
    const result = await work()
    if (storing !== undefined && kind === 'stores') storing.isStored = true
    return result
  } catch (error) {
    if (storing !== undefined) storing.failure ??= { error }
    throw error
  }
}

/**
 * Does `work`, and fails where a history failed in it.
 *
 * `RunnableWithMessageHistory` stores its messages in a listener, and what a listener throws LangChain only prints. Where
 * `mustStore` says that the work is such a runnable, it also fails if it has not come to storing anything.
 */
export function storingOrFailing<R>(mustStore: boolean, work: () => Promise<R>): Promise<R> {
  const storing = new Storing()
  return current.run(storing, async () => {
    const result = await work()
    if (storing.failure !== undefined) throw storing.failure.error
    if (mustStore && storing.isUsed && !storing.isStored) {
      throw new SessionRegistryError(
        'ERR_SESSION_VALUE_INVALID',
        'Expected the input and the output of the runnable to be messages, and could not store them',
      )
    }
    return result
  })
}
