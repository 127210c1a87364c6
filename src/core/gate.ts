import type { CloseReport } from './close-report.ts'
import { closedError } from './errors/turn-errors.ts'
import { type CloseOptions, checkDeadline } from './options/call-options.ts'

export type RegistryState = 'open' | 'closing' | 'closed'

/** The state of a registry, and its one close. */
export class Gate<T> {
  #state: RegistryState = 'open'
  #closePromise: Promise<CloseReport<T>> | undefined

  /** `'closing'` from the call of {@link close} on, and `'closed'` once its promise fulfils. */
  get state(): RegistryState {
    return this.#state
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** @throws SessionRegistryError `ERR_SESSION_REGISTRY_CLOSED` from the call of `close` on */
  assertOpen(): void {
    if (this.#state !== 'open') throw closedError()
  }

  /**
   * Closes the registry once: every further call returns the same promise. `drain` ends what is under way,
   * within the deadline.
   *
   * Rejects with `ERR_SESSION_OPTION_INVALID`, and then the registry stays open.
   */
  close(
    options: CloseOptions | undefined,
    drain: (deadlineMs: number) => Promise<CloseReport<T>>,
  ): Promise<CloseReport<T>> {
    if (this.#closePromise !== undefined) return this.#closePromise
    let deadlineMs: number
    try {
      deadlineMs = checkDeadline(options)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#state = 'closing'
    let settle: (report: Promise<CloseReport<T>>) => void = () => {}
    this.#closePromise = new Promise((resolve) => {
      settle = resolve
    })
    // After the promise is set: user code in `drain` may call `close` again.
    settle(
      drain(deadlineMs).finally(() => {
        this.#state = 'closed'
      }),
    )
    return this.#closePromise
  }
}
