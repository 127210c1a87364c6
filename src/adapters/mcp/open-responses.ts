import type { ServerResponse } from 'node:http'
import { realClock } from '../../core/time/clock.ts'
import { answers, send } from './http-answer.ts'

/**
 * How long a transport that has closed may take to end its responses, in milliseconds. It does so in the
 * following iterations of the event loop.
 */
const graceMs = 50

/** The responses of a transport that are open. */
export class OpenResponses {
  /** Each with what resolves when it is closed. */
  readonly #open = new Map<ServerResponse, Promise<void>>()

  /** Keeps a response until it is closed. */
  add(response: ServerResponse, closed: Promise<void>): void {
    this.#open.set(
      response,
      closed.then(() => void this.#open.delete(response)),
    )
  }

  /**
   * Ends what the transport leaves open when it closes: in both lines of the SDK, the response to a call that
   * is answered as JSON. It has had no answer, so it is given one.
   *
   * `isStopping`: whether all sessions are being closed. Then a stream that its client does not read is
   * destroyed, for it would keep the process alive.
   */
  async end(isStopping: () => boolean): Promise<void> {
    const open = [...this.#open.keys()].filter(({ writableEnded }) => !writableEnded)
    if (open.length === 0) return
    await this.#closedWithin(graceMs)
    const isLast = isStopping()
    for (const response of open) {
      if (response.headersSent) {
        if (isLast && !response.writableEnded) response.destroy()
        continue
      }
      if (isLast) response.setHeader('connection', 'close')
      send(response, isLast ? answers.unavailable : answers.unknownSession)
    }
  }

  /** Resolves when all are closed, or after a time, which is the host's: fake timers do not stop it. */
  async #closedWithin(ms: number): Promise<void> {
    let timer: unknown
    const timeout = new Promise<void>((resolve) => {
      timer = realClock.setTimeout(resolve, ms)
    })
    await Promise.race([Promise.all(this.#open.values()), timeout])
    realClock.clearTimeout(timer)
  }
}
