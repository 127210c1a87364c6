import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { RunOptions, Session, SessionRegistry } from 'session-registry'
import type { ManualClock } from 'session-registry/testing'
import type { Random } from '../support/random.ts'
import type { SeenTurn, Witness } from './witness.ts'

/**
 * The turns that the present code is a part of, the innermost last. One for all rounds: Node 20 never lets go
 * of a storage that was used, and looks at every one of them for each promise.
 */
const scopes = new AsyncLocalStorage<readonly SeenTurn[]>()

interface ChaosAround {
  readonly rollback: boolean
  /** Does something in the middle of things. */
  misbehave(): void
  track(promise: Promise<unknown>): void
}

/** What became of a turn from inside: the message that it has left in its session. */
interface Said {
  readonly message: number
  readonly deletions: number
}

interface BegunTurn {
  readonly talked: Promise<unknown>
  /** Tells the witness that it has ended. */
  end(): void
}

type BeginTurn = (session: Session<number[]>, signal: AbortSignal) => BegunTurn

function whole(begin: BeginTurn): (session: Session<number[]>, signal: AbortSignal) => Promise<unknown> {
  return (session, signal) => {
    const { talked, end } = begin(session, signal)
    return talked.finally(end)
  }
}

/** Turns and streams of every kind, which talk, fail, nest and take their time. */
export class ChaosTurns {
  readonly #registry: SessionRegistry<number[]>
  readonly #clock: ManualClock
  readonly #random: Random
  readonly #witness: Witness
  readonly #around: ChaosAround
  #said = 0

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
    const outer = outers.findLast((turn) => turn.id === id && this.#witness.runs(turn))
    const joins = options.whenBusy === 'join'
    let accepted: Said | undefined
    let outcome: Promise<unknown> = Promise.resolve()
    const begin = (session: Session<number[]>, signal: AbortSignal): BegunTurn => {
      const seen: SeenTurn = {
        id,
        session,
        startedAt: this.#clock.now(),
        excludes: outer?.excludes ?? !joins,
        outer,
        outcome: () => outcome,
        // A stream that is left in the middle has not failed, whatever becomes of it then.
        isUndone: this.#around.rollback && outer === undefined && !streams,
      }
      const deletions = this.#witness.deletionsOf(id)
      this.#witness.turnStarts(seen)
      const talked = scopes.run([...outers, seen], async () => {
        const message = await this.#talk(seen, signal)
        if (message !== undefined) accepted = { message, deletions }
      })
      return { talked, end: () => this.#witness.turnEnds(seen) }
    }
    outcome = streams ? this.#read(id, begin, options) : this.#registry.run(id, whole(begin), options)
    const isKept = outcome.then(async () => {
      // What is rolled back with the turn around it was not accepted.
      if (this.#around.rollback) for (let at = outer; at !== undefined; at = at.outer) await at.outcome()
      if (accepted !== undefined) this.#witness.accepted(id, accepted.message, accepted.deletions)
    })
    isKept.catch(() => {})
    return outcome
  }

  async #read(id: string, begin: BeginTurn, options: RunOptions): Promise<void> {
    let own: AbortSignal | undefined
    const parts = this.#registry.stream(
      id,
      async function* (session, signal) {
        own = signal
        const { talked, end } = begin(session, signal)
        talked.catch(() => {})
        try {
          // Where it is left or ends here, what it does then is a part of it all the same.
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
      // A reader that leaves when the time of the turn was up is not told whether that was cut.
      own?.throwIfAborted()
      if (this.#random.chance(0.2)) break
    }
  }

  /** What happens inside a turn; gives the message that it has left in the session. */
  async #talk(turn: SeenTurn, signal: AbortSignal): Promise<number | undefined> {
    const random = this.#random
    const { id, session } = turn
    // Bound, since the signal aborts in the context in which the turn was called: `scopes` would not know of
    // the turn.
    const misbehave = AsyncResource.bind(() => this.#around.misbehave())
    if (random.chance(0.1)) signal.addEventListener('abort', misbehave)
    // A turn that writes back what it has read would notice a message that came in between.
    const copies = turn.outer === undefined && random.chance(0.3)
    const before = [...session.value]
    if (random.chance(0.7)) await this.#wait(random.below(random.chance(0.1) ? 150 : 30), signal)
    if (!copies && random.chance(0.2)) {
      const nested = this.#run(id, {}, scopes.getStore() ?? [], false)
      // One in three is not waited for.
      if (random.chance(0.67)) await nested
      else this.#around.track(nested)
    }
    if (random.chance(0.05)) throw new Error('the turn failed')
    if (!turn.excludes || signal.aborted) return undefined
    this.#said += 1
    const message = this.#said
    this.#witness.said(id, message)
    if (copies) session.value = [...before, message]
    else session.value.push(message)
    if (random.chance(0.3)) await this.#wait(random.below(10), signal)
    if (this.#around.rollback && random.chance(0.1)) {
      if (turn.isUndone) this.#witness.undone(message)
      throw new Error('the turn failed after it had written')
    }
    return message
  }

  /** Some turns stop as their signal aborts, others do not care. */
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
