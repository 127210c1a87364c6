import { EventEmitter } from 'node:events'
import { callbackify } from 'node:util'
import { invalidValue } from '../../core/errors/invalid-value.ts'
import { isSessionRegistryError, SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import type { Session } from '../../core/session.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { deleteStored } from '../../core/storing/delete-stored.ts'
import { cloneValue } from '../../core/values/clone-value.ts'
import { jsonCopy } from '../../core/values/json-copy.ts'
import {
  assertKept,
  assignData,
  limitTimeout,
  longestCookieMs,
  remainingMs,
  untilExpiry,
} from './cookie-expiry.ts'
import { type DestroyedIds, destroyedIdsOf } from './destroyed-ids.ts'
import {
  classesOf,
  type ExpressClasses,
  type Generate,
  generateBlank,
  restoreCookie,
} from './express-classes.ts'

/** The callback of a method that has no result. */
type Done = (error: unknown) => void

/** The data of a session: an object with a cookie. */
type SessionData = object & { cookie?: object }

/**
 * Returns a store for express-session and for `@fastify/session`, for a registry of their sessions.
 *
 * A session lives until its cookie's `expires`, which is looked at in every read, write and touch; without
 * one, for the registry's `timeoutMs` from its last request, and where the registry has a `store`, for its
 * `keepMs`. What is stored is the session as JSON keeps it, and what is read is a copy. The registry needs no
 * `create`.
 *
 * Both frameworks read the whole session when a request begins and write the whole when it ends. Of two
 * requests that overlap, the last to end wins. What has to survive that belongs into a registry of its own,
 * with a turn for each request. Set `tombstoneMs`, or a request that began before a log-out undoes it.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const sessions = new SessionRegistry<SessionData>({ maxSessions: 100_000, tombstoneMs: 60 * 60_000 })
 * app.use(session({ store: registryStore(sessions), secret, resave: false, saveUninitialized: false }))
 */
export function registryStore<S extends object>(source: SessionSource<S>): RegistryStore {
  // A write brings a whole session, and a read returns what was written: the adapter needs no more of the
  // type.
  return new RegistryStore(assertSource(source) as unknown as SessionSource<SessionData>)
}

/**
 * The store of {@link registryStore}: what express-session's `Store` and the `SessionStore` of
 * `@fastify/session` have.
 *
 * Errors are passed to the callback, `ERR_SESSION_ID_INVALID` and those of the registry. None has the code
 * `ENOENT`, which both frameworks take for a session that is not there.
 */
export class RegistryStore extends EventEmitter {
  /** Gives a request a new session. express-session assigns it. */
  generate: Generate | undefined
  readonly #source: SessionSource<SessionData>
  readonly #destroyedIds: DestroyedIds
  #classes: (ExpressClasses & { readonly generate: Generate }) | undefined

  /** Use {@link registryStore}. */
  constructor(source: SessionSource<SessionData>) {
    super()
    this.#source = source
    this.#destroyedIds = destroyedIdsOf(source)
  }

  /**
   * Reads a copy of a session; `null` if there is none or its cookie has expired. Activity. It waits for no
   * turn, creates nothing, and does not prolong a session whose cookie expires at a set time.
   */
  get<S extends object>(id: SessionIdInput, done: (error: unknown, session?: S | null) => void): void {
    settle(() => this.#read(id) as Promise<S | null>, done)
  }

  /**
   * Writes a session: as a short turn, or as a part of the turn that it is called in. One that has ended
   * meanwhile is created anew. For `tombstoneMs` of the registry, one that was destroyed or reached
   * `maxAgeMs` is not: then nothing is written, without an error. One whose cookie has expired is deleted.
   *
   * `ERR_SESSION_VALUE_INVALID` if JSON cannot express it, or it has more than 900 levels.
   * `ERR_SESSION_OPTION_INVALID` if its cookie lasts longer than half of the registry's `keepMs`; nothing has
   * changed then.
   */
  set(id: SessionIdInput, session: object, done: Done = ignore): void {
    settle(() => this.#write(id, session), done)
  }

  /**
   * Takes over the cookie of a session and with it the new expiry. Activity. It creates nothing. Refuses the
   * cookies that {@link set} refuses.
   */
  touch(id: SessionIdInput, session: object, done: Done = ignore): void {
    settle(() => this.#touch(id, session), done)
  }

  /**
   * Ends a session with `'deleted'`, also in the middle of a turn, and waits until the registry's store has
   * deleted it.
   *
   * `ERR_SESSION_STORE_FAILED` if the store has not done so within 3 seconds. The deletion goes on, and the
   * id is not read until it is done; but if the process crashes first, the session is there again.
   */
  destroy(id: SessionIdInput, done: Done = ignore): void {
    settle(async () => this.#destroy(toSessionId(id)), done)
  }

  /** Ends the session of a request, and gives it a new one of another id. Called by express-session. */
  regenerate(request: object, done: Done = ignore): void {
    const { sessionID } = request as { readonly sessionID: string }
    this.destroy(sessionID, (error) => {
      this.generate?.(request)
      done(error)
    })
  }

  /** Reads a session as an object of express-session's class, outside of a request. */
  load<S>(id: SessionIdInput, done: (error: unknown, session?: S) => void): void {
    settle<S | undefined>(() => this.#load(id), done)
  }

  /** Makes a request's session of stored data, and returns it. Called by express-session. */
  createSession<S>(request: object, data: object): S {
    const { generate } = this
    if (generate === undefined) {
      throw new SessionRegistryError(
        'ERR_SESSION_OPTION_INVALID',
        'Expected the store to be the `store` of a `session()` of express-session, which makes its sessions',
      )
    }
    if (this.#classes?.generate !== generate) {
      this.#classes = { ...classesOf(generate, request), generate }
    }
    const classes = this.#classes
    const { cookie } = data as SessionData
    const restored = Object.assign(data, {
      cookie: cookie === undefined ? generateBlank(generate, request).cookie : restoreCookie(classes, cookie),
    })
    const session = new classes.Session(request, restored)
    Object.assign(request, { session })
    return session as S
  }

  async #load<S>(id: SessionIdInput): Promise<S | undefined> {
    const data = await this.#read(id)
    if (data === null) return undefined
    return this.createSession<S>({ sessionID: toSessionId(id), sessionStore: this }, data)
  }

  async #read(id: SessionIdInput): Promise<SessionData | null> {
    let found: SessionData | null = null
    let wasRead = false
    const read = (session: Session<SessionData>) => {
      const leftMs = remainingMs(session)
      if (leftMs === undefined || leftMs > 0) found = cloneValue('session', session.value) ?? null
      wasRead = true
      if (leftMs !== undefined) limitTimeout(session, Math.min(leftMs, longestCookieMs(this.#source)))
    }
    try {
      await this.#source.run(toSessionId(id), read, { whenBusy: 'join', create: false })
    } catch (error) {
      // Only the new timeout was not kept. A write beside the read brings its own.
      if (!wasRead) throw error
    }
    return found
  }

  async #write(givenId: SessionIdInput, session: object): Promise<void> {
    const id = toSessionId(givenId)
    const data = jsonCopy('session', session)
    if (typeof data !== 'object' || data === null || Array.isArray(data)) {
      throw invalidValue('session', 'an object that JSON can express', session)
    }
    assertKept(this.#source, data)
    const leftMs = untilExpiry(data)
    if (leftMs !== undefined && leftMs <= 0) await deleteStored(this.#source, id)
    else await this.#assign(id, data)
  }

  /** A request that began before a log-out writes after it, and must not undo it. */
  async #assign(id: string, data: SessionData): Promise<void> {
    // Before a creation, for which another session may have to make room.
    if (this.#destroyedIds.has(id) && (await this.#source.peek(id)) === undefined) return
    const create = async () => {
      if (await this.#isEndedForGood(id)) throw new EndedForGoodError()
      return data
    }
    const assign = (live: Session<SessionData>) => assignData(live, data)
    await this.#unlessEndedForGood(id, this.#source.run(id, assign, { create }))
  }

  async #touch(givenId: SessionIdInput, session: object): Promise<void> {
    const id = toSessionId(givenId)
    const cookie = jsonCopy('session.cookie', (session as SessionData | undefined)?.cookie)
    assertKept(this.#source, { cookie })
    const touch = (live: Session<SessionData>) => {
      const leftMs = remainingMs(live)
      // Over by its old cookie, it is as good as swept: the new one must not bring it back.
      if (leftMs !== undefined && leftMs <= 0) limitTimeout(live, leftMs)
      else if (typeof cookie === 'object' && cookie !== null) assignData(live, { ...live.value, cookie })
    }
    await this.#unlessEndedForGood(id, this.#source.run(id, touch, { create: false }))
  }

  async #destroy(id: string): Promise<void> {
    // First, so that no write comes in between.
    this.#destroyedIds.add(id)
    await deleteStored(this.#source, id)
  }

  /** Awaits a write, which has not failed if there is nothing to write any more. */
  async #unlessEndedForGood(id: string, written: Promise<unknown>): Promise<void> {
    try {
      await written
    } catch (error) {
      if (error instanceof EndedForGoodError) return
      // It was destroyed while it was written.
      if (isSessionRegistryError(error, 'ERR_SESSION_ENDED') && (await this.#isEndedForGood(id))) return
      throw error
    }
  }

  /**
   * Whether the last session of an id was destroyed or reached its absolute timeout, within `tombstoneMs`.
   */
  async #isEndedForGood(id: string): Promise<boolean> {
    if (this.#destroyedIds.has(id)) return true
    const reason = (await this.#source.whyGone(id))?.reason
    return reason === 'deleted' || reason === 'age'
  }
}

/** Why a write creates nothing. */
class EndedForGoodError extends Error {}

function ignore(): void {}

/**
 * Passes the outcome of a call to its callback, in the caller's async context. Without one, it is not called.
 */
function settle<R>(call: () => Promise<R>, done: (error: unknown, result?: R) => void): void {
  callbackify(() => call().catch(failWithoutEnoent))(done as (error: unknown, result: R) => void)
}

/** A `load` of files fails with it, and the frameworks would give the visitor a new, empty session. */
function failWithoutEnoent(error: unknown): never {
  if ((error as { readonly code?: unknown } | null | undefined)?.code !== 'ENOENT') throw error
  throw new SessionRegistryError(
    'ERR_SESSION_STORE_FAILED',
    'Expected the session to be read or written, but a file was missing',
    { cause: error },
  )
}
