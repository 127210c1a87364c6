import type { Session } from '../session.ts'
import { type Clock, shownTime } from '../time/clock.ts'
import { turnChannels } from '../watching/channels.ts'
import type { RegistryChannels } from '../watching/registry-channels.ts'
import type { Trace } from '../watching/trace.ts'
import type { WhenBusy } from './turn.ts'

/** What is published of a call of `run`, and read only if something subscribes. */
export interface TracedTurn {
  readonly id: string
  readonly whenBusy: WhenBusy
  /** Monotonic time from which it has waited; `undefined` if it began at once. */
  readonly waitsSince: number | undefined
  /** The turn that it is nested in. */
  readonly outer: object | undefined
}

/** Publishes the turns of one registry. */
export class TurnTracer {
  readonly #channels: RegistryChannels
  readonly #clock: Clock

  constructor(channels: RegistryChannels, clock: Clock) {
    this.#channels = channels
    this.#clock = clock
  }

  /** Returns the present time, for a call that has to wait. */
  now(): number {
    return shownTime(this.#clock)
  }

  /** Returns the trace of a turn that begins now; `undefined` where nothing subscribes. */
  begin(turn: TracedTurn, session: Session<unknown>): Trace | undefined {
    // Also checked there, after what is made for it.
    if (!turnChannels.hasSubscribers) return undefined
    const { id, whenBusy, waitsSince, outer } = turn
    const waitedMs = waitsSince === undefined ? 0 : this.now() - waitsSince
    return this.#channels.trace('turn', id, () => ({
      incarnation: session.incarnation,
      whenBusy,
      waitedMs,
      ...(outer === undefined ? {} : { nested: true as const }),
    }))
  }
}
