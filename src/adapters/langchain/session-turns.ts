import { ensureConfig, Runnable, type RunnableConfig } from '@langchain/core/runnables'
import type { IterableReadableStream } from '@langchain/core/utils/stream'
import { toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import { invalidOption, ownFields } from '../../core/options/validate.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { runAndRequireStored, trackedHistory } from './store-outcome.ts'
import { TurnReadable } from './turn-readable.ts'

/**
 * Returns a runnable of which every call is one turn of its session: overlapping calls wait for each other.
 *
 * The session is that of `configurable.sessionId`, else of `configurable.thread_id`. `invoke` and `stream`
 * are one turn each, `batch` is one turn per input. The signal of the call is that of the turn. A stream is a
 * turn from the call until it was read to its end, left (`break`, `return()`, `cancel()`), or has failed;
 * `maxTurnMs` ends one that is never read. A turn that was left has not failed, but
 * `RunnableWithMessageHistory` stores nothing of it, not even the question.
 *
 * Calls reject with the codes of `run`, and where messages could not be stored.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const chat = withSessionTurns(histories, new RunnableWithMessageHistory({ … }))
 * await chat.invoke('hello', { configurable: { sessionId: 'ada' } })
 */
export function withSessionTurns<I, O, C extends RunnableConfig>(
  source: SessionSource<unknown>,
  runnable: Runnable<I, O, C>,
): Runnable<I, O, C> {
  return new SessionTurns(assertSource(source), checkRunnable(runnable))
}

/** Returns a runnable, of LangChain's ESM or CJS build: it is recognised by its methods. */
function checkRunnable<R extends Runnable>(runnable: R): R {
  if (typeof runnable?.invoke === 'function' && typeof runnable.stream === 'function') return runnable
  throw invalidOption('runnable', 'a LangChain runnable', runnable)
}

class SessionTurns<I, O, C extends RunnableConfig> extends Runnable<I, O, C> {
  readonly lc_namespace = ['session_registry', 'langchain']
  readonly #source: SessionSource<unknown>
  readonly #runnable: Runnable<I, O, C>
  readonly #isStock: boolean

  constructor(source: SessionSource<unknown>, runnable: Runnable<I, O, C>) {
    super()
    this.#source = source
    this.#isStock = isStock(runnable)
    this.#runnable = this.#isStock ? trackedHistory(runnable) : runnable
  }

  override getName(suffix?: string): string {
    return this.#runnable.getName(suffix)
  }

  override async invoke(input: I, options?: Partial<C>): Promise<O> {
    const call = this.#callOf(options)
    return this.#turn(call, call.signal, (signal) =>
      runAndRequireStored(signal, () => this.#runnable.invoke(input, configWith(call, signal))),
    )
  }

  override async stream(input: I, options?: Partial<C>): Promise<IterableReadableStream<O>> {
    const call = this.#callOf(options)
    const stream = new TurnReadable<O>(call.signal)
    stream.start((leaveSignal) =>
      this.#turn(call, leaveSignal, (signal) => {
        // Read in the async context of the turn: outside of it, what it stores would wait for this very turn.
        const read = async () =>
          stream.pump(await this.#runnable.stream(input, configWith(call, signal)), signal)
        return stream.unlessLeft(() => runAndRequireStored(signal, read))
      }),
    )
    return stream.readable
  }

  override async *_streamIterator(input: I, options?: Partial<C>): AsyncGenerator<O> {
    yield* await this.stream(input, options)
  }

  /** Returns the session of a call, the config of its runnable, and the caller's signal with `timeout`. */
  #callOf(options: Partial<C> | undefined): Call<C> {
    const { timeout: _timeout, ...config } = (options ?? {}) as RunnableConfig
    const { configurable, signal } = ensureConfig(options as RunnableConfig | undefined)
    const id = sessionIdIn(ownFields(configurable ?? {}))
    // The stock class does not read `thread_id`, and treats the number 0 as no id.
    if (this.#isStock) config.configurable = { ...configurable, sessionId: id }
    return { id, signal, config: config as Partial<C> }
  }

  #turn<R>(
    { id }: Call<C>,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    return this.#source.run(id, (_session: unknown, own: AbortSignal) => work(own), { signal })
  }
}

/** Returns the config of a call whose signal is that of its turn. */
function configWith<C extends RunnableConfig>({ config }: Call<C>, signal: AbortSignal): Partial<C> {
  return { ...config, signal }
}

/**
 * Whether a runnable is LangChain's `RunnableWithMessageHistory`, or extends it.
 *
 * It is recognised by its member: LangChain's ESM and its CJS build may be loaded in one process.
 */
function isStock(runnable: object): boolean {
  return typeof (runnable as { readonly getMessageHistory?: unknown }).getMessageHistory === 'function'
}

/** Returns the session id of a call; the error names the key where it was expected. */
function sessionIdIn({ sessionId, thread_id }: NonNullable<RunnableConfig['configurable']>): string {
  if (isPresent(sessionId)) return toSessionId(sessionId, '`configurable.sessionId`')
  if (isPresent(thread_id)) return toSessionId(thread_id, '`configurable.thread_id`')
  return toSessionId(sessionId, '`configurable.sessionId` or `configurable.thread_id`')
}

function isPresent(id: unknown): boolean {
  return id !== undefined && id !== null
}

interface Call<C> {
  readonly id: string
  readonly signal: AbortSignal | undefined
  readonly config: Partial<C>
}
