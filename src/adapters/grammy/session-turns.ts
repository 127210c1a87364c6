import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import { checkFunction, checkOptions, invalidOption } from '../../core/options/validate.ts'
import type { SessionSource } from '../../core/session-source.ts'
import type { RunOptions } from '../../core/turns/turn.ts'
import { emptyValue } from './session-storage.ts'
import { type StaleWrites, startStaleWrites } from './stale-writes.ts'
import { inUpdateTurn } from './update-turn.ts'

/** What the default session key is read from. */
export interface ChatContext {
  readonly chatId?: number | undefined
  readonly chat?: { readonly id: number } | undefined
}

/** Options of {@link sessionTurns}. */
export interface SessionTurnsOptions<C> {
  /**
   * The `getSessionKey` that `session()` has. Without a key, the update is handled without a turn.
   *
   * @defaultValue the id of the chat, as in grammY; for telegraf give its own:
   *   `(ctx) => ctx.from && ctx.chat && `${ctx.from.id}:${ctx.chat.id}``
   */
  readonly getSessionKey?: ((ctx: C) => string | undefined | Promise<string | undefined>) | undefined
  /**
   * The `prefix` that grammY's `session()` has.
   *
   * @defaultValue ''
   */
  readonly prefix?: string | undefined
}

/**
 * Returns a middleware for grammY and telegraf that handles each update in a turn of its session, so that no
 * change of a session is lost when two updates come at once.
 *
 * Use it before `session()`, with the same `getSessionKey` and `prefix`. The next update of a session waits
 * until the handlers of the one before have settled; updates of other sessions do not. What a handler throws
 * rejects the turn.
 *
 * After `session()` it protects nothing. A process warning reports the first session that is read before a
 * turn and written after it.
 *
 * The session exists from the beginning of the turn, with what the registry's `create` makes. Without one its
 * value is `null`, and `initial` of grammY or `defaultSession` of telegraf provides the first one. It stays
 * `null` if the handlers throw or set none: so make it a `SessionRegistry<SessionData | null>`.
 *
 * The middleware rejects as `run` of the registry does, and with `ERR_SESSION_ID_INVALID` for a key that is
 * not one.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<SessionData | null>()
 * bot.use(sessionTurns(sessions), session({ initial, storage: sessionStorage(sessions) }))
 */
export function sessionTurns<S, C extends ChatContext = ChatContext>(
  source: SessionSource<S>,
  options?: SessionTurnsOptions<C>,
): (ctx: C, next: () => Promise<void>) => Promise<void> {
  assertSource(source)
  const { getSessionKey = chatKey, prefix = '' } = checkOptions('options', options, [
    'getSessionKey',
    'prefix',
  ])
  checkFunction('getSessionKey', getSessionKey)
  if (typeof prefix !== 'string') throw invalidOption('prefix', 'a string', prefix)
  const turns = new UpdateTurns(source)
  return async (ctx, next) => {
    const id = sessionIdOf(await getSessionKey(ctx), prefix)
    if (id === undefined) await next()
    else await turns.run(id, next)
  }
}

function chatKey({ chatId, chat }: ChatContext): string | undefined {
  return (chatId ?? chat?.id)?.toString()
}

/** Returns what grammY and telegraf make of a key; `undefined` where the update has no session. */
function sessionIdOf(key: SessionIdInput | null | undefined, prefix: string): string | undefined {
  if (key === undefined || key === null) return undefined
  if (key === '') return prefix === '' ? undefined : prefix
  return prefix + toSessionId(key, 'the result of `getSessionKey`')
}

/** The turns of updates, on a registry with or without a `create`. */
class UpdateTurns<S> {
  readonly #source: SessionSource<S>
  readonly #staleWrites: StaleWrites
  /** A factory, once the registry is known to have none. */
  #options: RunOptions<S> | undefined = undefined

  constructor(source: SessionSource<S>) {
    this.#source = source
    this.#staleWrites = startStaleWrites(source)
  }

  async run(id: string, next: () => Promise<void>): Promise<void> {
    let onSuccess: (() => void) | undefined
    const handle = () => {
      onSuccess = this.#staleWrites.onTurn(id)
      return inUpdateTurn(this.#source, id, next)
    }
    try {
      await this.#source.run(id, handle, this.#options)
    } catch (error) {
      if (onSuccess !== undefined || !isSessionRegistryError(error, 'ERR_SESSION_NO_FACTORY')) throw error
      await this.#source.run(id, handle, { create: () => this.#createEmpty() })
    }
    onSuccess?.()
  }

  /**
   * Called by the second attempt, which has read a store or called `load` again: later runs bring a factory
   * at once. The error of the first attempt alone is no proof, since a `load` may have thrown it.
   */
  #createEmpty(): S {
    this.#options = { create: () => emptyValue as S }
    return emptyValue as S
  }
}
