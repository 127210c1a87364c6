import { IterableReadableStream } from '@langchain/core/utils/stream'
import { onAbort } from '../../core/async/abort-listeners.ts'

/**
 * A stream that is made inside a turn and read outside of it.
 *
 * It hands over one chunk at a time, when the reader asks for it. It ends only after the turn has: whoever
 * has read it to its end finds the messages stored and the session free.
 */
export class TurnReadable<O> {
  readonly readable: IterableReadableStream<O>
  readonly #leaveController = new AbortController()
  readonly #callerSignal: AbortSignal | undefined
  #controller: ReadableStreamDefaultController<O> | undefined
  #demand = newDemand()
  #ended: Promise<void> = Promise.resolve()
  #isCancelled = false

  /** `caller`: the signal of whoever asked for the stream. */
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
      // Nothing is made ahead of the reader, so that what is left early was not asked of a model.
      { highWaterMark: 0 },
    )
  }

  /** Calls `turn`, with the signal that aborts when the reader leaves; the stream ends as it settles. */
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
   * Hands every chunk over, from inside the turn; stops, and leaves the chunks' maker, when `signal` aborts.
   */
  async pump(chunks: AsyncIterable<O>, signal: AbortSignal): Promise<void> {
    const iterator = chunks[Symbol.asyncIterator]()
    const leave = () => {
      // A reader that is slow, or never comes, must not keep an aborted turn waiting.
      this.#demand.resolve()
      // LangChain's streams end at an abort without running the `finally` of who makes them; this runs it.
      // Not waited for: it comes after the chunk that is being made, if that ever comes.
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
