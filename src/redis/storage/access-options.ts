import { kindCode, type LeaseKind } from './lease-ref.ts'

/** What is wanted of a live session, besides whether there is one. */
export interface AccessOptions {
  /** It is activity. */
  readonly touches?: boolean
  /** The value is wanted. */
  readonly reads?: boolean
  /** Take the turn lock, or a hold, under this token. */
  readonly takes?: { readonly kind: LeaseKind; readonly token: string }
  /** Ask the turn that has the lock to stop. */
  readonly interrupts?: boolean
  /** Stand in line for the lock, where it is not free. */
  readonly waits?: boolean
  /** Called where the answer came too late for its caller, and it was taken: by default it is given back. */
  readonly onLate?: ((incarnation: string) => void) | undefined
}

/** The flags of the script `enter`. */
export function flagsOf({ touches, reads, takes, interrupts, waits }: AccessOptions): string {
  const kind = takes === undefined ? '' : kindCode[takes.kind]
  const flags = [touches && 't', reads && 'd', kind, interrupts && 'i', waits && 'w']
  return flags.filter(Boolean).join('')
}
