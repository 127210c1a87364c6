import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type ClientError, readError, serverCode } from './client-error.ts'

/**
 * What a failed call of the client means.
 *
 * - `rejected`: the server refused; repeating does not help
 * - `transient`: the server refused for now, and nothing was done: it loads its data, or a failover is under
 *   way
 * - `readOnly`: as `transient` for a moment after a failover, and as `rejected` on a replica
 * - `moved`: the keys are on another node of a cluster, which a client of one server does not find
 * - `misused`: the client was called with something else than it takes
 * - `noReply`: no answer came; what was sent may have been carried out or not
 */
export type Failure = 'rejected' | 'transient' | 'readOnly' | 'moved' | 'misused' | 'noReply'

const transientCodes = new Set(['LOADING', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'NOREPLICAS', 'BUSY'])
const movedCodes = new Set(['MOVED', 'ASK'])

/** The server has no place for the connection at the moment. */
const tooManyClients = /max number of clients/

/** What a server says to a client that does not put our arguments in their places. */
const wrongArguments = /wrong number of arguments|number of keys/i

/** What `fetch` calls a connection that failed is a `TypeError` as well. */
const networkMessage = /fetch|network|socket|connection|terminated/i

export function classify(thrown: unknown): Failure {
  const error = readError(thrown)
  const code = serverCode(error)
  if (code === undefined) return isMisuse(error) ? 'misused' : 'noReply'
  if (code === 'READONLY') return 'readOnly'
  if (movedCodes.has(code)) return 'moved'
  if (transientCodes.has(code) || tooManyClients.test(error.message)) return 'transient'
  return wrongArguments.test(error.message) ? 'misused' : 'rejected'
}

/** A client that was called wrongly, or whose connection refuses what it was given, will not do better. */
function isMisuse({ name, message, cause, classes }: ClientError): boolean {
  const kinds = [name, ...classes]
  if (!kinds.includes('TypeError') && !kinds.includes('RangeError')) return false
  return cause === undefined && !networkMessage.test(message)
}

export function backendFailedError(cause: Error): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BACKEND_FAILED',
    'Expected Redis to carry out the call, but it answered with an error; nothing was written',
    { cause },
  )
}

/** The server is a node of a cluster, and the client knows it alone. */
export function needsClusterClientError(cause: Error): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BACKEND_FAILED',
    'Expected the server to have all keys, but it is a node of a cluster: use a cluster client',
    { cause },
  )
}

export function backendUnavailableError(cause: Error): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BACKEND_UNAVAILABLE',
    'Expected an answer of Redis, but none came, and repeating the call did not help; its outcome is unknown',
    { cause },
  )
}

/** The client takes something else than our calls, or hands out something else than the server answers. */
export function unsupportedClientError(cause?: Error): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `client` to run a script and to hand out what the server answers, as it is: a client of node-redis, ioredis, ' +
      'iovalkey or GLIDE that answers each call by itself (no legacy mode, no `multi`, no pipeline), or an object with `run`',
    cause === undefined ? {} : { cause },
  )
}
