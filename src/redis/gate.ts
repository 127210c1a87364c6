import { closedError } from '../core/errors/turn-errors.ts'

/** The gate that every call of a registry passes first: it admits calls by the state of the registry. */
export class Gate {
  state: 'open' | 'closing' | 'closed' = 'open'
  readonly #onCall: () => void

  /** `onCall` is called at each call while the registry is open. */
  constructor(onCall: () => void) {
    this.#onCall = onCall
  }

  /** Admits a call. Returns `false` once the registry is closed. */
  admit(): boolean {
    if (this.state === 'open') this.#onCall()
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

  /** @throws SessionRegistryError `ERR_SESSION_REGISTRY_CLOSED` from the call of `close` on */
  assertOpen(): void {
    if (this.state !== 'open') throw closedError()
  }

  /** Admits a call that begins work: {@link admit} and {@link assertOpen}. */
  admitNew(): void {
    this.admit()
    this.assertOpen()
  }
}
