/**
 * Calls of a store, one at a time for each id: a call begins when the one before it has settled, also one
 * whose signal has aborted, since its effect may still come.
 */
export class SerialCalls {
  /** For each id, what fulfils when its last call has settled. */
  readonly #last = new Map<string, Promise<void>>()

  /** Whether a call of the id has not settled. */
  has(id: string): boolean {
    return this.#last.has(id)
  }

  /** Fulfils when the last call of the id has settled. */
  async whenSettled(id: string): Promise<void> {
    await this.#last.get(id)
  }

  /** Makes a call; one that has to wait is not made if its signal aborts meanwhile. */
  call<R>(id: string, signal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    const before = this.#last.get(id)
    const outcome = before === undefined ? start(fn) : startAfter(before, signal, fn)
    const settled = outcome.then(ignore, ignore)
    this.#last.set(id, settled)
    settled.then(() => {
      if (this.#last.get(id) === settled) this.#last.delete(id)
    })
    return outcome
  }
}

/** Also what `fn` throws rejects the promise. */
async function start<R>(fn: () => Promise<R>): Promise<R> {
  return fn()
}

async function startAfter<R>(before: Promise<void>, signal: AbortSignal, fn: () => Promise<R>): Promise<R> {
  await before
  signal.throwIfAborted()
  return fn()
}

function ignore(): void {}
