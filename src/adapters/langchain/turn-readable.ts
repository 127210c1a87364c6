import { IterableReadableStream } from '@langchain/core/utils/stream'
import { onAbort } from '../../core/async/abort-listeners.ts'

/**
 * A stream that is written inside a turn and read outside of it.
 *
 * It takes one chunk at a time, when the reader pulls. It ends after the turn: a reader that has reached the
 * end finds the messages stored and the session free.
 */
export class TurnReadable<O> {
  readonly readable: IterableReadableStream<O>
  readonly #leaveController = new AbortController()
  readonly #callerSignal: AbortSignal | undefined
  #controller: ReadableStreamDefaultController<O> | undefined
  #demand = newDemand()
  #ended: Promise<void> = Promise.resolve()
  #isCancelled = false

  /** `callerSignal` is the signal of the call. */
  constructor(callerSignal: AbortSignal | undefined) {
    this.#callerSignal = callerSignal
    this.readable = new IterableReadableStream<O>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#demand.resolve(),
        cancel: (reason) => {
          this.#isCancelled = true
          this.#leaveController.abort(reason)
          return this.#ended
        },
      },
      // Nothing is buffered, so that a reader that leaves early has not paid for more of the model.
      { highWaterMark: 0 },
    )
  }

  /** Calls `turn` with a signal that aborts when the reader leaves. The stream ends when the turn settles. */
  start(turn: (leaveSignal: AbortSignal) => Promise<void>): void {
    const callerSignal = this.#callerSignal
    const stopListening =
      callerSignal === undefined
        ? () => {}
        : onAbort(callerSignal, () => this.#leaveController.abort(callerSignal.reason))
    this.#ended = turn(this.#leaveController.signal)
      .then(
        () => {
          if (!this.#isCancelled) this.#controller?.close()
        },
        (error) => this.#controller?.error(error),
      )
      .finally(stopListening)
  }

  /**
   * Runs the work of the turn. Once the reader has left, its error is of no interest: a turn that was left
   * has not failed.
   */
  async unlessLeft(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#isCancelled) throw error
    }
  }

  /** Writes every chunk, inside the turn. When `signal` aborts, it stops and closes the source. */
  async pump(chunks: AsyncIterable<O>, signal: AbortSignal): Promise<void> {
    const iterator = chunks[Symbol.asyncIterator]()
    const leave = () => {
      // A slow or absent reader must not delay an aborted turn.
      this.#demand.resolve()
      // LangChain's streams end at an abort without the `finally` of their source; this runs it. Not awaited:
      // it runs after the chunk in progress, which may never come.
      iterator.return?.().then(undefined, () => {})
    }
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        await this.#demand.promise
        signal.throwIfAborted()
        this.#demand = newDemand()
        this.#controller?.enqueue(next.value)
      }
      signal.throwIfAborted()
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }
}

interface Demand {
  readonly promise: Promise<void>
  resolve(): void
}

function newDemand(): Demand {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((onResolve) => {
    resolve = onResolve
  })
  return { promise, resolve }
}
