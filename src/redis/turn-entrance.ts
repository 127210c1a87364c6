import { onAbort } from '../core/async/abort-listeners.ts'
import type { LinkedQueue } from '../core/async/linked-queue.ts'
import type { SessionRegistryError } from '../core/errors/session-registry-error.ts'
import { busyError, queueFullError } from '../core/errors/turn-errors.ts'
import type { LeaseRef } from './lease-ref.ts'
import type { Life } from './life.ts'
import type { Opener } from './opener.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { jitter, pause } from './pause.ts'
import type { SessionStore } from './session-store.ts'
import type { SharedHold, SharedHolds } from './shared-holds.ts'
import type { Entrance, TurnLine } from './turn-line.ts'
import type { RedisTurnRun } from './turn-run.ts'

/** Between two tries for a lock that another process has. */
const firstPauseMs = 10
const maxPauseMs = 100

/** A life that is held for a turn that joins. */
export interface Joined<T> {
  readonly life: Life
  readonly hold: SharedHold<T>
}

/** How a turn comes to its session: the lock is taken, or a hold; what is absent is brought to life first. */
export class TurnEntrance<T> {
  readonly #store: SessionStore<T>
  readonly #opener: Opener<T>
  readonly #holds: SharedHolds<T>
  readonly #options: ResolvedRedisOptions<T>

  constructor(
    store: SessionStore<T>,
    opener: Opener<T>,
    holds: SharedHolds<T>,
    options: ResolvedRedisOptions<T>,
  ) {
    this.#store = store
    this.#opener = opener
    this.#holds = holds
    this.#options = options
  }

  /**
   * Takes the lock for the first in the line by then. Returns `undefined` when no one in it wants it any more; the lock, if
   * it was taken all the same, is given back.
   *
   * Rejects with what `load` or the factory failed with, and with the codes of the store.
   */
  async lock(line: TurnLine<T>, entrance: Entrance): Promise<Life | undefined> {
    const { id } = line
    const { token, left } = entrance
    const life = await this.#enter(line, entrance)
    if (!left.aborted) return life
    if (life !== undefined) void this.release({ id, incarnation: life.incarnation, kind: 'turn', token })
    else if (entrance.isInLine) this.#store.withdraw(id, token).catch(() => {})
    return undefined
  }

  async #enter({ id, queue }: TurnLine<T>, entrance: Entrance): Promise<Life | undefined> {
    const { token, left } = entrance
    const takes = { kind: 'turn', token } as const
    for (let pauseMs = firstPauseMs; ; ) {
      const head = queue.first
      if (left.aborted || head === undefined) return undefined
      const waits = head.whenBusy !== 'reject'
      const interrupts = head.whenBusy === 'interrupt'
      const entered = await this.#store.enter(id, { touches: true, reads: true, takes, interrupts, waits })
      entrance.isInLine = waits && entered.state === 'live' && !entered.isTaken
      if (entered.state === 'live') {
        if (entered.isTaken) return entered.life
        refuseImpatient(queue)
        if (this.#options.maxWaiting === 0) refuse(queue.first, queueFullError(0))
        await nap(pauseMs, left)
        pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)
      } else if (left.aborted) {
        return undefined
      } else if (!head.opens) {
        head.entry?.remove()
        head.succeed(undefined)
      } else if (entered.waits && !waits && this.#options.load !== undefined) {
        refuse(head, busyError())
      } else {
        const { create } = head
        const request = { create, token, left }
        const brought = await this.#opener.bring(id, request)
        if (brought.state === 'created' && brought.token === token) return brought.life
        if (brought.state === 'absent') {
          head.entry?.remove()
          head.succeed(undefined)
        }
      }
    }
  }

  /** Takes a hold for a turn that joins, whatever turn has the lock; `undefined` when it does not want it any more. */
  async beside(run: RedisTurnRun<T>): Promise<Joined<T> | undefined> {
    const { id } = run
    while (run.phase === 'waiting') {
      const entered = await this.#holds.take(id, run, { reads: true })
      if (entered.state === 'live') {
        if (run.phase === 'waiting') return entered
        this.#holds.leave(entered.hold, run).catch(() => {})
        return undefined
      }
      if (run.phase !== 'waiting') return undefined
      const { maxWaiting } = this.#options
      if (this.#opener.waiting(id) > maxWaiting) throw queueFullError(maxWaiting)
      const { create, controller } = run
      const request = { create, token: '', left: controller.signal }
      const brought = await this.#opener.bring(id, request)
      if (brought.state === 'absent') run.succeed(undefined)
    }
    return undefined
  }

  /** Gives a lock back with nothing saved. It ends by itself where Redis does not answer. */
  async release(ref: LeaseRef): Promise<void> {
    try {
      await this.#store.leave(ref, { text: undefined, timeoutMs: undefined }, '')
    } catch {}
  }
}

/** Those that do not wait while another turn runs. */
function refuseImpatient<T>(queue: LinkedQueue<RedisTurnRun<T>>): void {
  for (const run of queue) {
    if (run.whenBusy === 'reject') refuse(run, busyError())
  }
}

function refuse<T>(run: RedisTurnRun<T> | undefined, error: SessionRegistryError): void {
  run?.entry?.remove()
  run?.fail(error, 'settled')
}

async function nap(ms: number, left: AbortSignal): Promise<void> {
  const { over, cut } = pause(jitter(ms))
  const stopListening = onAbort(left, cut)
  await over
  stopListening()
}
