import { EventEmitter } from 'node:events'
import { callbackify } from 'node:util'
import { invalidValue } from '../../core/errors/invalid-value.ts'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { assertSource } from '../../core/options/assert-source.ts'
import type { Session } from '../../core/session.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { cloneValue } from '../../core/values/clone-value.ts'
import { jsonCopy } from '../../core/values/json-copy.ts'
import { assignData, limitTimeout, remainingMs, untilExpiry } from './cookie-expiry.ts'
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
 * one, for the registry's `timeoutMs` from its last request. What is stored is the session as JSON keeps it,
 * and what is read is a copy. The registry needs no `create`.
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
  #classes: (ExpressClasses & { readonly generate: Generate }) | undefined

  /** Use {@link registryStore}. */
  constructor(source: SessionSource<SessionData>) {
    super()
    this.#source = source
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
   * meanwhile is created anew, except one that was destroyed, as far back as `tombstoneMs` of the registry
   * reaches. One whose cookie has expired is deleted.
   *
   * `ERR_SESSION_VALUE_INVALID` if JSON cannot express it, or it has more than 900 levels.
   */
  set(id: SessionIdInput, session: object, done: Done = ignore): void {
    settle(() => this.#write(id, session), done)
  }

  /** Takes over the cookie of a session and with it the new expiry. Activity. It creates nothing. */
  touch(id: SessionIdInput, session: object, done: Done = ignore): void {
    settle(() => this.#touch(id, session), done)
  }

  /** Ends a session with `'deleted'`, also in the middle of a turn. */
  destroy(id: SessionIdInput, done: Done = ignore): void {
    settle(() => this.#delete(id), done)
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
      if (leftMs !== undefined) limitTimeout(session, leftMs)
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
    const leftMs = untilExpiry(data)
    if (leftMs !== undefined && leftMs <= 0) await this.#source.delete(id)
    else await this.#assign(id, data)
  }

  async #assign(id: string, data: SessionData): Promise<void> {
    const source = this.#source
    let wasDestroyed = false
    const create = async () => {
      // A request that began before a log-out writes after it, and must not undo it.
      wasDestroyed = (await source.whyGone(id))?.reason === 'deleted'
      if (wasDestroyed) throw new Error('The session was destroyed')
      return data
    }
    try {
      await source.run(id, (live) => assignData(live, data), { create })
    } catch (error) {
      if (!wasDestroyed) throw error
    }
  }

  async #touch(id: SessionIdInput, session: object): Promise<void> {
    const cookie = jsonCopy('session.cookie', (session as SessionData | undefined)?.cookie)
    const touch = (live: Session<SessionData>) => {
      const leftMs = remainingMs(live)
      // Over by its old cookie, it is as good as swept: the new one must not bring it back.
      if (leftMs !== undefined && leftMs <= 0) limitTimeout(live, leftMs)
      else if (typeof cookie === 'object' && cookie !== null) assignData(live, { ...live.value, cookie })
    }
    await this.#source.run(toSessionId(id), touch, { create: false })
  }

  async #delete(id: SessionIdInput): Promise<void> {
    await this.#source.delete(toSessionId(id))
  }
}

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
