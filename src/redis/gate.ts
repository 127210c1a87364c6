import { closedError } from '../core/errors/turn-errors.ts'

/** What every call of a registry passes first: whether it still does anything. */
export class Gate {
  state: 'open' | 'closing' | 'closed' = 'open'
  readonly #onCall: () => void

  /** `onCall` is called at each call for as long as the registry is open. */
  constructor(onCall: () => void) {
    this.#onCall = onCall
  }

  /** A call has come. Returns whether the registry still answers. */
  admit(): boolean {
    if (this.state === 'open') this.#onCall()
    return this.state !== 'closed'
  }

  /**
   * A call has come that must not seem to be done: the sessions live on when this registry is closed.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_CLOSED` when it is closed
   */
  assertAdmitted(): void {
    if (!this.admit()) throw closedError()
  }

  /** @throws SessionRegistryError `ERR_SESSION_REGISTRY_CLOSED` from the call of `close` on */
  assertOpen(): void {
    if (this.state !== 'open') throw closedError()
  }

  /** A call has come that begins something: {@link admit} and {@link assertOpen}. */
  admitNew(): void {
    this.admit()
    this.assertOpen()
  }
}
