import { notOwnerError } from './errors/turn-errors.ts'

/** Whether a call for `owner` may use a session that belongs to `sessionOwner`; without one, any call may. */
export function isAdmitted(owner: string | undefined, sessionOwner: string | undefined): boolean {
  return owner === undefined || owner === sessionOwner
}

/** @throws SessionRegistryError `ERR_SESSION_NOT_OWNER` where {@link isAdmitted} is `false` */
export function assertAdmitted(owner: string | undefined, sessionOwner: string | undefined): void {
  if (!isAdmitted(owner, sessionOwner)) throw notOwnerError()
}
