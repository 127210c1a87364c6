import { closedError } from '../core/errors/turn-errors.ts'
import { Gate } from '../core/gate.ts'

/** A {@link Gate} that every call of the registry passes: the first one starts the poller. */
export class CallGate<T> extends Gate<T> {
  readonly #onCall: () => void

  /** `onCall` is called at each call while the registry is open. */
  constructor(onCall: () => void) {
    super()
    this.#onCall = onCall
  }

  /** Admits a call. Returns `false` once the registry is closed. */
  admit(): boolean {
    if (this.isOpen) this.#onCall()
    return this.state !== 'closed'
  }

  /**
   * Admits a call whose silent omission would mislead: sessions live on when this registry is closed.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_CLOSED` once it is closed
   */
  assertAdmitted(): void {
    if (!this.admit()) throw closedError()
  }

  /**
   * Admits a call that begins work.
   *
   * @throws SessionRegistryError `ERR_SESSION_REGISTRY_CLOSED` from the call of `close` on
   */
  admitNew(): void {
    this.admit()
    this.assertOpen()
  }
}
