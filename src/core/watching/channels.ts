import { type Channel, channel } from 'node:diagnostics_channel'
import type { ArchiveReason, EndReason } from '../end-reason.ts'
import type { WhenBusy } from '../turns/turn.ts'

/*
 * The channels of `node:diagnostics_channel`, and their messages:
 *
 *   channels.ts            the names, and what is published under each
 *   registry-channels.ts   the messages of one registry
 *   trace.ts               one traced operation, from `start` to `asyncEnd`
 *
 * A channel tells no one that it has a subscriber. So what would be left out without one checks
 * `hasSubscribers` each time, which costs less than a nanosecond.
 */

/** The fields of a message about a session. No message has its id, its owner or its value. */
export interface SessionMessage {
  /** The option `name` of the registry. */
  readonly registry: string
  /** The keyed hash of the session id, as `ref(id)` returns it, whatever the option `logIds` is. */
  readonly ref: string
  /** The name of this incarnation of the id. */
  readonly incarnation: string
}

/**
 * The messages of the channels `session-registry:created`, `:ended`, `:swept` and `:error`, by the last part
 * of the name. Each is published once, in order with the events and in their async context.
 */
export interface SessionMessages {
  readonly created: SessionMessage & {
    /** Whether the value was loaded, rather than made by the factory. */
    readonly loaded?: true
  }
  readonly ended: SessionMessage & {
    readonly reason: EndReason
    /** Milliseconds since the last activity; of a session that ended in use, 0. */
    readonly idleMs: number
    /** Milliseconds since the creation. */
    readonly ageMs: number
  }
  readonly swept: Pick<SessionMessage, 'registry'> & {
    /** Sessions that the sweep ended or sent to the archive. */
    readonly expired: number
    /** Sessions left in the registry. */
    readonly remaining: number
    /** Milliseconds from the start of the sweep to its end. */
    readonly durationMs: number
  }
  readonly error: Pick<SessionMessage, 'registry'> & {
    /** The session that the failure concerns, if it concerns one. */
    readonly ref?: string
    readonly incarnation?: string
    /** The event whose listener failed, if it was a listener. */
    readonly event?: string
    /** What the event `error` is emitted with. */
    readonly error: unknown
  }
}

/** What the message of every tracing channel has beside its own fields. */
interface Outcome {
  /** Why the operation failed: present from the message on `error` on. */
  readonly error?: unknown
}

/** What the message of an operation has that need not wait for a promise. */
interface SynchronousOutcome extends Outcome {
  /** Present at `end` if the operation is over then: it has no `asyncStart` and no `asyncEnd`. */
  readonly settled?: true
}

/**
 * The messages of the tracing channels `session-registry:turn`, `:load`, `:create`, `:archive`, `:save` and
 * `:dispose`, by the last part of the name. One object is the message of all channels of one operation, and
 * subscribers may add properties to it.
 */
export interface SessionTraces {
  /** A turn, from its start until its run settles: a save at its end is part of it. */
  readonly turn: SessionMessage &
    Outcome & {
      readonly whenBusy: WhenBusy
      /** Milliseconds from the call until the turn began. */
      readonly waitedMs: number
      /** Present if the run is part of a turn of the same session, which it joins. */
      readonly nested?: true
    }
  /** A call of the `load` hook, or a read of the store. The session does not exist yet. */
  readonly load: Omit<SessionMessage, 'incarnation'> & Outcome
  /** A call of a factory. The session does not exist yet. */
  readonly create: Omit<SessionMessage, 'incarnation'> & SynchronousOutcome
  /** One attempt to archive a session: a call of the `archive` hook, or a write to the store. */
  readonly archive: SessionMessage &
    Outcome & {
      readonly reason: ArchiveReason
      /** The number of the attempt, from 1; on Redis over all processes. */
      readonly attempt: number
    }
  /** One attempt to save a live session: to the store, or at the end of a turn to Redis. */
  readonly save: SessionMessage &
    Outcome & {
      /** The number of the attempt, from 1. */
      readonly attempt: number
    }
  /** The disposal of one value. One that never was a session's has no incarnation. */
  readonly dispose: Omit<SessionMessage, 'incarnation'> &
    SynchronousOutcome & {
      readonly incarnation?: string
      readonly reason: EndReason
    }
}

export const createdChannel = channel('session-registry:created')
export const endedChannel = channel('session-registry:ended')
export const sweptChannel = channel('session-registry:swept')
export const errorChannel = channel('session-registry:error')

/**
 * The five channels of one tracing channel.
 *
 * Not a `TracingChannel`: before Node 20.13 and on Bun that does not say whether it has subscribers, and what
 * it publishes for a function that returns no promise differs between versions of Node.
 */
export class TracingChannels {
  readonly start: Channel
  readonly end: Channel
  readonly asyncStart: Channel
  readonly asyncEnd: Channel
  readonly error: Channel

  constructor(operation: keyof SessionTraces) {
    const part = (name: string) => channel(`tracing:session-registry:${operation}:${name}`)
    this.start = part('start')
    this.end = part('end')
    this.asyncStart = part('asyncStart')
    this.asyncEnd = part('asyncEnd')
    this.error = part('error')
  }

  get hasSubscribers(): boolean {
    return (
      this.start.hasSubscribers ||
      this.asyncEnd.hasSubscribers ||
      this.end.hasSubscribers ||
      this.error.hasSubscribers ||
      this.asyncStart.hasSubscribers
    )
  }
}

export const turnChannels = new TracingChannels('turn')
export const createChannels = new TracingChannels('create')

export const tracingChannels: Readonly<Record<keyof SessionTraces, TracingChannels>> = {
  turn: turnChannels,
  load: new TracingChannels('load'),
  create: createChannels,
  archive: new TracingChannels('archive'),
  save: new TracingChannels('save'),
  dispose: new TracingChannels('dispose'),
}
