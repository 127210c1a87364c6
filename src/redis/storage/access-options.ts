import { kindCode, type LeaseKind } from './lease-ref.ts'

/** What {@link SessionStore.access} does with a live session besides finding it. */
export interface AccessOptions {
  /** Touch it: its idle time starts again. A session that is taken is touched in any case. */
  readonly touches?: boolean
  /** Return its value. */
  readonly reads?: boolean
  /** Take the turn lock, or a hold, under this token. */
  readonly takes?: { readonly kind: LeaseKind; readonly token: string }
  /** Request that the running turn stops. */
  readonly interrupts?: boolean
  /** To whom the session has to belong; `undefined` where that is not checked. */
  readonly owner?: string | undefined
  /** Wait for the lock where it is not free. */
  readonly waits?: boolean
  /**
   * Called when the lock or hold was taken, but the reply came too late for its caller. By default it is
   * released.
   */
  readonly onLate?: ((incarnation: string) => void) | undefined
}

/** Returns the flags of the script `acquire`. */
export function flagsOf({ reads, takes, interrupts, waits }: AccessOptions): string {
  const kind = takes === undefined ? '' : kindCode[takes.kind]
  return `${kind}${reads ? 'd' : ''}${interrupts ? 'i' : ''}${waits ? 'w' : ''}`
}
