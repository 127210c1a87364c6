import { isSessionRegistryError, SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import type { JobAbort } from './job-abort.ts'

export function dataLostError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_ARCHIVE_FAILED',
    'Expected the data of an expired session, but they are gone: no process archived them within `retentionMs`',
  )
}

export function leaseLostError(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_LOCK_LOST',
    'Expected to hold the lease of the session until it is archived, but another process has taken over',
  )
}

/** The cause of the last failure where no process has seen it. */
export function stoppedError(): Error {
  return new Error('The process of the last attempt stopped during it')
}

/** Whether an archive was aborted by the deadline of `close`. */
export function isAbortedByClose({ reason }: JobAbort): boolean {
  return isSessionRegistryError(reason, 'ERR_SESSION_REGISTRY_CLOSED')
}
