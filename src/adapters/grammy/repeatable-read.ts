/**
 * The promise of a read that is repeated, after a failure, each time it is awaited again.
 *
 * telegraf keeps the promise of a read that failed and awaits it for every later update of that key: an
 * ordinary one would reject them until the process ends. A read that is under way, or that succeeded, is
 * shared, as with any promise.
 */
export class RepeatableRead<V> implements Promise<V> {
  readonly [Symbol.toStringTag] = 'Promise'
  readonly #read: () => Promise<V>
  #latest: Promise<V> | undefined

  constructor(read: () => Promise<V>) {
    this.#read = read
    this.#promise()
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaited again is what the class is for.
  then<R = V, E = never>(
    onFulfilled?: ((value: V) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#promise().then(onFulfilled, onRejected)
  }

  catch<E = never>(onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null): Promise<V | E> {
    return this.#promise().catch(onRejected)
  }

  finally(onFinally?: (() => void) | null): Promise<V> {
    return this.#promise().finally(onFinally)
  }

  #promise(): Promise<V> {
    this.#latest ??= this.#begin()
    return this.#latest
  }

  #begin(): Promise<V> {
    const attempt = this.#read()
    // Before anything that waits for the attempt learns of its failure.
    attempt.catch(() => {
      this.#latest = undefined
    })
    return attempt
  }
}
