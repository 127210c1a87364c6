import {
  ensureConfig,
  Runnable,
  type RunnableConfig,
  RunnableWithMessageHistory,
} from '@langchain/core/runnables'
import type { IterableReadableStream } from '@langchain/core/utils/stream'
import { givenId } from '../../core/given-id.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { storingOrFailing } from './storing.ts'
import { TurnStream } from './turn-stream.ts'

/**
 * The same runnable, with every call of it one turn of its session: overlapping calls wait for each other.
 *
 * The session is that of `configurable.sessionId`, else of `configurable.thread_id`. `invoke` and `stream` are one turn
 * each, `batch` is one turn per input. The turn's signal is the call's. A stream is a turn from the call until it is read
 * to its end, left (`break`, `return()`, `cancel()`), or has failed: one that is never read at all is ended by `maxTurnMs`.
 *
 * Calls reject with the codes of `run`, and with what kept messages from being stored.
 *
 * @example
 * const chat = withSessionTurns(histories, new RunnableWithMessageHistory({ … }))
 * await chat.invoke('hello', { configurable: { sessionId: 'ada' } })
 */
export function withSessionTurns<I, O, C extends RunnableConfig>(
  source: SessionSource<unknown>,
  runnable: Runnable<I, O, C>,
): Runnable<I, O, C> {
  return new SessionTurns(source, runnable)
}

class SessionTurns<I, O, C extends RunnableConfig> extends Runnable<I, O, C> {
  readonly lc_namespace = ['session_registry', 'langchain']
  readonly #source: SessionSource<unknown>
  readonly #runnable: Runnable<I, O, C>

  constructor(source: SessionSource<unknown>, runnable: Runnable<I, O, C>) {
    super()
    this.#source = source
    this.#runnable = runnable
  }

  override getName(suffix?: string): string {
    return this.#runnable.getName(suffix)
  }

  override async invoke(input: I, options?: Partial<C>): Promise<O> {
    const { id, signal } = sessionOf(options)
    return this.#turn(id, signal, (turn) => this.#runnable.invoke(input, within(turn, options)))
  }

  override async stream(input: I, options?: Partial<C>): Promise<IterableReadableStream<O>> {
    const { id, signal } = sessionOf(options)
    const stream = new TurnStream<O>(signal)
    stream.start((left) =>
      this.#turn(id, left, async (turn) => {
        // Pumped in the turn's async context: read from outside, what it stores would wait for this very turn.
        await stream.pump(await this.#runnable.stream(input, within(turn, options)), turn)
      }),
    )
    return stream.readable
  }

  override async *_streamIterator(input: I, options?: Partial<C>): AsyncGenerator<O> {
    yield* await this.stream(input, options)
  }

  #turn<R>(
    id: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    const mustStore = this.#runnable instanceof RunnableWithMessageHistory
    return this.#source.run(id, (_session, turn) => storingOrFailing(mustStore, () => work(turn)), { signal })
  }
}

/** Which session a call is for, and the signal that calls it off: the caller's, or its `timeout`. */
function sessionOf(options: object | undefined): { id: string; signal: AbortSignal | undefined } {
  const { configurable, signal } = ensureConfig(options as RunnableConfig | undefined)
  const { sessionId, thread_id } = configurable ?? {}
  return { id: givenId(sessionId ?? thread_id), signal }
}

/** The caller's options with the turn's signal, which the caller's own and its `timeout` abort too. */
function within<C extends RunnableConfig>(signal: AbortSignal, options: Partial<C> | undefined): Partial<C> {
  const { timeout: _timeout, ...rest } = options ?? {}
  return { ...rest, signal } as Partial<C>
}
