import type { Channel } from 'node:diagnostics_channel'
import { isSessionRegistryError } from '../errors/session-registry-error.ts'
import { refOf } from '../ids/id-ref.ts'
import type { Session } from '../session.ts'
import {
  createdChannel,
  endedChannel,
  errorChannel,
  type SessionMessage,
  type SessionMessages,
  type SessionTraces,
  sweptChannel,
  tracingChannels,
} from './channels.ts'
import { markOrigin, type Origin } from './origin.ts'
import { Trace, type UserCodeCaller } from './trace.ts'

/** A message that is to be published in order with the events. */
export interface PendingMessage {
  readonly channel: Channel
  readonly message: object
}

/** What a message has beside the fields of all messages about sessions. */
type Details<M> = Omit<M, keyof SessionMessage>

/** What a message of an operation has when the operation begins, beside the registry and the ref. */
type TraceDetails<O extends keyof SessionTraces> = Omit<
  SessionTraces[O],
  'registry' | 'ref' | 'error' | 'settled'
>

/**
 * The channels, for one registry. Each method returns `undefined` where nothing subscribes, and then has read
 * nothing of the session: an incarnation has no name before the first use of it.
 */
export class RegistryChannels {
  readonly #origin: Origin
  readonly #caller: UserCodeCaller

  constructor(origin: Origin, caller: UserCodeCaller) {
    this.#origin = origin
    this.#caller = caller
  }

  created(session: Session<unknown>, isLoaded: boolean): PendingMessage | undefined {
    if (!createdChannel.hasSubscribers) return undefined
    return this.#about<'created'>(createdChannel, session, isLoaded ? { loaded: true } : {})
  }

  ended(
    session: Session<unknown>,
    detailsOf: () => Details<SessionMessages['ended']>,
  ): PendingMessage | undefined {
    return endedChannel.hasSubscribers ? this.#about<'ended'>(endedChannel, session, detailsOf()) : undefined
  }

  swept(summary: Omit<SessionMessages['swept'], 'registry'>): PendingMessage | undefined {
    if (!sweptChannel.hasSubscribers) return undefined
    const { expired, remaining, durationMs } = summary
    return this.#pending<'swept'>(sweptChannel, {
      registry: this.#origin.name,
      expired,
      remaining,
      durationMs,
    })
  }

  /** `id`: of the session that the failure concerns; `event`: the event whose listener has failed. */
  error(
    error: unknown,
    { id, event }: { readonly id?: string | undefined; readonly event?: string },
  ): PendingMessage | undefined {
    if (!errorChannel.hasSubscribers) return undefined
    const incarnation = isSessionRegistryError(error) ? error.session?.incarnation : undefined
    return this.#pending<'error'>(errorChannel, {
      registry: this.#origin.name,
      ...(id === undefined ? {} : { ref: refOf(id) }),
      ...(incarnation === undefined ? {} : { incarnation }),
      ...(event === undefined ? {} : { event }),
      error,
    })
  }

  /** Returns the trace of an operation on a session, to be called. */
  trace<O extends keyof SessionTraces>(
    operation: O,
    id: string,
    detailsOf: () => TraceDetails<O>,
  ): Trace | undefined {
    const channels = tracingChannels[operation]
    if (!channels.hasSubscribers) return undefined
    const message = { registry: this.#origin.name, ref: refOf(id), ...detailsOf() }
    markOrigin(message, this.#origin)
    return new Trace(channels, message, this.#caller)
  }

  #about<E extends 'created' | 'ended'>(
    channel: Channel,
    { id, incarnation }: Session<unknown>,
    details: Details<SessionMessages[E]>,
  ): PendingMessage {
    return this.#pending(channel, {
      registry: this.#origin.name,
      ref: refOf(id),
      incarnation,
      ...details,
    } as unknown as SessionMessages[E])
  }

  #pending<E extends keyof SessionMessages>(channel: Channel, message: SessionMessages[E]): PendingMessage {
    markOrigin(message, this.#origin)
    return { channel, message: Object.freeze(message) }
  }
}
