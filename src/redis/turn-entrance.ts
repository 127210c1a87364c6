import { busy } from '../core/refusals.ts'
import type { Life } from './life.ts'
import type { Opener } from './opener.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { jitter, type Pause, pause } from './pause.ts'
import type { LeaseRef, SessionStore } from './session-store.ts'
import type { RedisTurnRun, TurnLine } from './turn-run.ts'

/** Between two tries for a lock that another process has. */
const firstPauseMs = 10
const maxPauseMs = 100

/** How a turn comes to its session: the lock is taken, or a hold; what is absent is brought to life first. */
export class TurnEntrance<T> {
  readonly #store: SessionStore<T>
  readonly #opener: Opener<T>
  readonly #options: ResolvedRedisOptions<T>
  readonly #naps = new Set<Pause>()

  constructor(store: SessionStore<T>, opener: Opener<T>, options: ResolvedRedisOptions<T>) {
    this.#store = store
    this.#opener = opener
    this.#options = options
  }

  /**
   * Takes the lock for whoever is first in the line by then; `undefined` when nobody in it wants it any more.
   *
   * Rejects with what `load` or the factory failed with, and with the codes of the store.
   */
  async lock(line: TurnLine<T>, token: string): Promise<Life | undefined> {
    const takes = { kind: 'turn', token } as const
    for (let pauseMs = firstPauseMs; ; ) {
      const head = line.queue[0]
      if (head === undefined) return undefined
      const interrupts = head.whenBusy === 'interrupt'
      const entered = await this.#store.enter(line.id, { touches: true, reads: true, takes, interrupts })
      if (entered.state === 'live') {
        if (entered.isTaken) return entered.life
        refuseImpatient(line)
        await this.#nap(pauseMs)
        pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)
      } else if (entered.waits && head.whenBusy === 'reject' && this.#options.load !== undefined) {
        line.take(head)
        head.fail(busy(), 'over')
      } else {
        const { waits } = entered
        const brought = await this.#opener.bring(line.id, { creates: head.create !== false, waits, token })
        if (brought.state === 'created' && brought.token === token) return brought.life
        if (brought.state === 'absent') {
          line.take(head)
          head.succeed(undefined)
        }
      }
    }
  }

  /** Takes a hold for a turn that joins, whoever has the lock; `undefined` when it does not want it any more. */
  async beside(run: RedisTurnRun<T>, token: string): Promise<Life | undefined> {
    const takes = { kind: 'hold', token } as const
    while (run.phase === 'waiting') {
      const entered = await this.#store.enter(run.id, { touches: true, reads: true, takes })
      if (entered.state === 'live') {
        if (run.phase === 'waiting') return entered.life
        await this.release({ id: run.id, incarnation: entered.life.incarnation, ...takes })
        return undefined
      }
      const { waits } = entered
      const brought = await this.#opener.bring(run.id, { creates: run.create !== false, waits, token: '' })
      if (brought.state === 'absent') run.succeed(undefined)
    }
    return undefined
  }

  /** Gives a lock or a hold back with nothing saved. It ends by itself where Redis does not answer. */
  async release(ref: LeaseRef): Promise<void> {
    try {
      await this.#store.leave(ref, { text: undefined, timeoutMs: undefined }, '')
    } catch {}
  }

  /** Ends the waiting for locks: those that waited have been refused. */
  hurry(): void {
    for (const nap of this.#naps) nap.cut()
  }

  async #nap(ms: number): Promise<void> {
    const nap = pause(jitter(ms))
    this.#naps.add(nap)
    await nap.over
    this.#naps.delete(nap)
  }
}

/** Those that do not wait while another turn runs. */
function refuseImpatient<T>(line: TurnLine<T>): void {
  for (const run of line.queue.filter(({ whenBusy }) => whenBusy === 'reject')) {
    line.take(run)
    run.fail(busy(), 'over')
  }
}
