/** The abort of a job. No hook sees it, so it need not be an `AbortController`, which costs more. */
export class JobAbort {
  #aborted: { readonly reason: unknown } | undefined
  #listener: (() => void) | undefined

  get isAborted(): boolean {
    return this.#aborted !== undefined
  }

  /** The reason of the first abort. */
  get reason(): unknown {
    return this.#aborted?.reason
  }

  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return
    this.#aborted = { reason }
    this.#listener?.()
  }

  /** Calls `listener`, the only one, when the job is aborted; at once if it has been. */
  listen(listener: () => void): void {
    if (this.isAborted) listener()
    else this.#listener = listener
  }

  stopListening(): void {
    this.#listener = undefined
  }
}
