import { callbackify } from 'node:util'
import session, { type SessionData } from 'express-session'
import type { SessionSource } from 'session-registry'

type Done<R = void> = (error: unknown, result?: R) => void

/**
 * A store for express-session over any registry of its sessions.
 *
 * @example
 * const sessions = new SessionRegistry<SessionData>({ create: () => ({ cookie: new session.Cookie() }) })
 * app.use(session({ store: new RegistryStore(sessions), secret, resave: false, saveUninitialized: false }))
 */
export class RegistryStore extends session.Store {
  readonly #source: SessionSource<SessionData>

  constructor(source: SessionSource<SessionData>) {
    super()
    this.#source = source
  }

  /** Reads: waits for no turn, creates nothing and returns a copy. */
  get(id: string, done: Done<SessionData | null>): void {
    const read = () =>
      this.#source.run(id, ({ value }) => structuredClone(value), { whenBusy: 'join', create: false })
    callbackify(async () => (await read()) ?? null)(done)
  }

  /** Writes in a turn, which finds its session by id and creates one that has expired meanwhile. */
  set(id: string, data: SessionData, done: Done = () => {}): void {
    const copy: SessionData = JSON.parse(JSON.stringify(data))
    const write = () =>
      this.#source.run(id, (live) => {
        live.value = copy
      })
    callbackify(write)(done)
  }

  /** Counts as activity, and changes nothing. */
  override touch(id: string, _data: SessionData, done: Done = () => {}): void {
    callbackify(async () => this.#source.run(id, () => {}, { whenBusy: 'join', create: false }))(done)
  }

  destroy(id: string, done: Done<boolean> = () => {}): void {
    callbackify(async () => this.#source.delete(id))(done)
  }
}
