import type { EndReason, ExpiryReason } from '../end-reason.ts'
import type { Session } from '../session.ts'
import { RegistryEmitter } from './listener-tracker.ts'
import type { SessionEvents, SweepSummary } from './session-events.ts'

type Listener<T, E extends keyof SessionEvents<T>> = (...args: SessionEvents<T>[E]) => void

/** The emitter that every registry is. Its overloads are what an editor shows of each event. */
export class SessionEmitter<T> extends RegistryEmitter<SessionEvents<T>> {
  /**
   * Adds a listener of `created`: a session was created, or loaded. It comes before every other event of the
   * session.
   */
  override on(event: 'created', listener: (session: Session<T>) => void): this
  /**
   * Adds a listener of `expired`: a session was idle or old for too long. It comes just before `ended`. With
   * a `store`, an idle session has only left memory.
   */
  override on(event: 'expired', listener: (session: Session<T>, reason: ExpiryReason) => void): this
  /** Adds a listener of `ended`: a session has ended, for any reason. It comes once for each, and last. */
  override on(event: 'ended', listener: (session: Session<T>, reason: EndReason) => void): this
  /** Adds a listener of `swept`: a background sweep ended something, or sent it to the archive. */
  override on(event: 'swept', listener: (summary: SweepSummary) => void): this
  /**
   * Adds a listener of `error`: what another listener threw, or a `SessionRegistryError` that reaches no
   * caller. Without a listener such failures are logged, or else printed as process warnings; none is thrown.
   */
  override on(event: 'error', listener: (error: unknown) => void): this
  /** Adds a listener of an event. See {@link SessionEvents}. */
  override on<E extends keyof SessionEvents<T>>(event: E, listener: Listener<T, E>): this
  override on<E extends keyof SessionEvents<T>>(event: E, listener: Listener<T, E>): this {
    return super.on(event, listener as never)
  }

  /** Adds a listener of the next `created` only: a session was created, or loaded. */
  override once(event: 'created', listener: (session: Session<T>) => void): this
  /** Adds a listener of the next `expired` only: a session was idle or old for too long. */
  override once(event: 'expired', listener: (session: Session<T>, reason: ExpiryReason) => void): this
  /** Adds a listener of the next `ended` only: a session has ended, for any reason. */
  override once(event: 'ended', listener: (session: Session<T>, reason: EndReason) => void): this
  /**
   * Adds a listener of the next `swept` only: a background sweep ended something, or sent it to the archive.
   */
  override once(event: 'swept', listener: (summary: SweepSummary) => void): this
  /** Adds a listener of the next `error` only: a contained failure, or one that reaches no caller. */
  override once(event: 'error', listener: (error: unknown) => void): this
  /** Adds a listener of the next event of a kind only. See {@link SessionEvents}. */
  override once<E extends keyof SessionEvents<T>>(event: E, listener: Listener<T, E>): this
  override once<E extends keyof SessionEvents<T>>(event: E, listener: Listener<T, E>): this {
    return super.once(event, listener as never)
  }
}
