import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { RunOptions, Session, SessionRegistry } from 'session-registry'
import type { ManualClock } from 'session-registry/testing'
import type { Random } from '../support/random.ts'
import type { SeenTurn, Witness } from './witness.ts'

/**
 * The turns around the current code, the innermost last. One storage for all rounds: Node 20 never releases a
 * used storage, and checks each of them for every promise.
 */
const scopes = new AsyncLocalStorage<readonly SeenTurn[]>()

interface ChaosAround {
  readonly rollback: boolean
  /** Makes a random call of the registry. */
  misbehave(): void
  track(promise: Promise<unknown>): void
}

/** The outcome of a turn from inside: the message that it left in its session. */
interface Message {
  readonly message: number
  readonly deletions: number
}

/** What a stream's reader has done, and when the stream's signal aborted for another reason. */
interface Reading {
  hasLeft: boolean
  abortedAt: number | undefined
}

interface BegunTurn {
  readonly talked: Promise<unknown>
  /** Records the end of the turn with the witness. */
  end(): void
}

type BeginTurn = (session: Session<number[]>, signal: AbortSignal) => BegunTurn

function whole(begin: BeginTurn): (session: Session<number[]>, signal: AbortSignal) => Promise<unknown> {
  return (session, signal) => {
    const { talked, end } = begin(session, signal)
    return talked.finally(end)
  }
}

/** Random turns and streams, which write, fail, nest and wait. */
export class ChaosTurns {
  readonly #registry: SessionRegistry<number[]>
  readonly #clock: ManualClock
  readonly #random: Random
  readonly #witness: Witness
  readonly #around: ChaosAround
  #lastMessage = 0

  constructor(
    registry: SessionRegistry<number[]>,
    clock: ManualClock,
    random: Random,
    witness: Witness,
    around: ChaosAround,
  ) {
    this.#registry = registry
    this.#clock = clock
    this.#random = random
    this.#witness = witness
    this.#around = around
  }

  say(id: string): void {
    const random = this.#random
    const options: { -readonly [K in keyof RunOptions]: RunOptions[K] } = {}
    options.whenBusy = random.pick(['wait', 'wait', 'wait', 'reject', 'interrupt', 'join'])
    if (random.chance(0.1)) options.create = false
    if (random.chance(0.2)) options.waitMs = random.below(60)
    if (random.chance(0.15)) {
      const controller = new AbortController()
      options.signal = controller.signal
      this.#clock.setTimeout(() => controller.abort(new Error('gone')), random.below(60))
    }
    const outers = scopes.getStore() ?? []
    this.#around.track(this.#run(id, options, outers, random.chance(0.25)))
  }

  /** Runs a turn, or reads a stream of one; settles as that does. */
  #run(id: string, options: RunOptions, outers: readonly SeenTurn[], streams: boolean): Promise<unknown> {
    // A turn that has returned still has its session until its run settles.
    const outer = outers.findLast((turn) => turn.id === id && !turn.isSettled())
    const joins = options.whenBusy === 'join'
    let accepted: Message | undefined
    let outcome: Promise<unknown> = Promise.resolve()
    let isSettled = false
    const reading: Reading = { hasLeft: false, abortedAt: undefined }
    const begin = (session: Session<number[]>, signal: AbortSignal): BegunTurn => {
      const seen: SeenTurn = {
        id,
        session,
        startedAt: this.#clock.now(),
        excludes: outer?.excludes ?? !joins,
        outer,
        outcome: () => outcome,
        isSettled: () => isSettled,
        // A stream that is left early has not failed, whatever its clean-up does.
        isUndone: this.#around.rollback && outer === undefined && !streams,
        // The next turn may begin before the listener of this abort is called.
        abortedAt: () =>
          reading.abortedAt ??
          (streams && signal.aborted && !reading.hasLeft ? this.#clock.now() : undefined),
      }
      const deletions = this.#witness.deletionsOf(id)
      this.#witness.turnStarts(seen)
      const talked = scopes.run([...outers, seen], async () => {
        const message = await this.#talk(seen, signal)
        if (message !== undefined) accepted = { message, deletions }
      })
      return { talked, end: () => this.#witness.turnEnds(seen) }
    }
    outcome = streams
      ? this.#read(id, begin, options, reading)
      : this.#registry.run(id, whole(begin), options)
    const onSettled = () => {
      isSettled = true
    }
    outcome.then(onSettled, onSettled)
    const isKept = outcome.then(async () => {
      // A nested turn that is rolled back with its outer turn was not accepted.
      if (this.#around.rollback) for (let at = outer; at !== undefined; at = at.outer) await at.outcome()
      if (accepted !== undefined) this.#witness.accepted(id, accepted.message, accepted.deletions)
    })
    isKept.catch(() => {})
    return outcome
  }

  async #read(id: string, begin: BeginTurn, options: RunOptions, reading: Reading): Promise<void> {
    let own: AbortSignal | undefined
    const onAborted = () => {
      if (!reading.hasLeft) reading.abortedAt = this.#clock.now()
    }
    const parts = this.#registry.stream(
      id,
      async function* (session, signal) {
        own = signal
        if (signal.aborted) onAborted()
        else signal.addEventListener('abort', onAborted)
        const { talked, end } = begin(session, signal)
        talked.catch(() => {})
        try {
          // Its work after it is left or ended here is part of it.
          try {
            yield 'first'
          } finally {
            await talked
          }
          yield 'last'
        } finally {
          end()
        }
      },
      options,
    )
    for await (const _part of parts) {
      if (this.#random.chance(0.2)) await this.#pause(this.#random.below(60))
      // A reader that leaves at the turn limit does not learn whether the turn timed out.
      own?.throwIfAborted()
      reading.hasLeft = this.#random.chance(0.2)
      if (reading.hasLeft) break
    }
  }

  /** The body of a turn; returns the message that it left in the session. */
  async #talk(turn: SeenTurn, signal: AbortSignal): Promise<number | undefined> {
    const random = this.#random
    const { id, session } = turn
    // Bound, since the signal aborts in the context in which the turn was called, where `scopes` lacks the
    // turn.
    const misbehave = AsyncResource.bind(() => this.#around.misbehave())
    if (random.chance(0.1)) signal.addEventListener('abort', misbehave)
    // A turn that writes back what it read detects a message written meanwhile.
    const copies = turn.outer === undefined && random.chance(0.3)
    const before = [...session.value]
    if (random.chance(0.7)) await this.#wait(random.below(random.chance(0.1) ? 150 : 30), signal)
    if (!copies && random.chance(0.2)) {
      const nested = this.#run(id, {}, scopes.getStore() ?? [], false)
      // One in three is not awaited.
      if (random.chance(0.67)) await nested
      else this.#around.track(nested)
    }
    if (random.chance(0.05)) throw new Error('the turn failed')
    if (!turn.excludes || signal.aborted) return undefined
    this.#lastMessage += 1
    const message = this.#lastMessage
    this.#witness.wrote(id, message)
    if (copies) session.value = [...before, message]
    else session.value.push(message)
    if (random.chance(0.3)) await this.#wait(random.below(10), signal)
    if (this.#around.rollback && random.chance(0.1)) {
      if (turn.isUndone) this.#witness.undone(message)
      throw new Error('the turn failed after it had written')
    }
    return message
  }

  /** Some turns obey their signal, others ignore it. */
  #wait(ms: number, signal: AbortSignal): Promise<void> {
    const obeys = this.#random.chance(0.5)
    return new Promise((resolve, reject) => {
      this.#clock.setTimeout(resolve, ms)
      if (obeys) signal.addEventListener('abort', () => reject(signal.reason))
    })
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, ms))
  }
}
