import { afterLoopTurn, systemClock, Timer } from '../core/clock.ts'
import type { RunScript } from './client.ts'
import { backendFailed, backendUnavailable, classify } from './failure.ts'
import { jitter, pause } from './pause.ts'
import type { Script } from './script.ts'

/** How long a call is repeated while no answer comes. */
const patienceMs = 5_000

/** How long after a failover the client may still talk to the old master. */
const readOnlyPatienceMs = 1_000

const firstPauseMs = 20
const maxPauseMs = 400

/**
 * Calls scripts, and repeats what got no answer, with the very same arguments.
 *
 * Every script bears a repetition: its arguments name the life, the lock or the operation, so that what an earlier try
 * has done is recognised and answered again.
 */
export class Backend {
  readonly #run: RunScript

  constructor(run: RunScript) {
    this.#run = run
  }

  /**
   * Rejects with `ERR_SESSION_BACKEND_UNAVAILABLE` or `ERR_SESSION_BACKEND_FAILED`.
   *
   * A call that nobody waits for does not keep the process alive between two tries.
   */
  async call(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    keepsAlive: boolean,
  ): Promise<unknown> {
    const startedAt = systemClock.now()
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      const elapsedMs = systemClock.now() - startedAt
      try {
        return await this.#within(Math.max(patienceMs - elapsedMs, 1), script, keys, args)
      } catch (error) {
        const failure = classify(error)
        if (failure === 'answer') throw backendFailed(error)
        const waitMs = jitter(pauseMs)
        const afterMs = systemClock.now() - startedAt + waitMs
        if (failure === 'readOnly' && afterMs > readOnlyPatienceMs) throw backendFailed(error)
        if (afterMs > patienceMs) throw backendUnavailable(error)
        await pause(waitMs, { keepsAlive }).over
      }
    }
  }

  /** One try. A client that waits for its connection may keep a command for ever: we do not wait that long. */
  #within(ms: number, script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error(`No answer within ${patienceMs} ms`))
      // The process may have been blocked or stopped: an answer that lies in the socket is read first.
      const onTime = () =>
        afterLoopTurn(() => afterLoopTurn(giveUp, { keepsAlive: true }), { keepsAlive: true })
      const timer = new Timer(systemClock, onTime, ms)
      const settle = (settled: (value: unknown) => void) => (value: unknown) => {
        timer.cancel()
        settled(value)
      }
      this.#run(script, keys, args).then(settle(resolve), settle(reject))
    })
  }
}
