import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type ClientError, readError, serverCode } from './client-error.ts'

/**
 * The kinds of failure of a call of the client.
 *
 * - `rejected`: the server refused it; repeating does not help
 * - `transient`: the server refused it for now and changed nothing: it is loading its data, or a failover is
 *   under way
 * - `readOnly`: `transient` for a moment after a failover, `rejected` on a replica
 * - `moved`: the keys are on another node of a cluster, which a client of one server does not find
 * - `misused`: the client does not take such a call
 * - `noReply`: no reply came; the script may have run or not
 */
export type Failure = 'rejected' | 'transient' | 'readOnly' | 'moved' | 'misused' | 'noReply'

const transientCodes = new Set(['LOADING', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'NOREPLICAS', 'BUSY'])
const movedCodes = new Set(['MOVED', 'ASK'])

/** The server has reached its limit of connections. */
const tooManyClients = /max number of clients/

/** The error of a server when a client did not put our arguments in their places. */
const wrongArguments = /wrong number of arguments|number of keys/i

/** A failed connection of `fetch` is a `TypeError` as well. */
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

/** Whether the client was called wrongly: repeating would not help. */
function isMisuse({ name, message, cause, classes }: ClientError): boolean {
  const kinds = [name, ...classes]
  if (!kinds.includes('TypeError') && !kinds.includes('RangeError')) return false
  return cause === undefined && !networkMessage.test(message)
}

export function backendFailedError(cause: Error): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_BACKEND_FAILED',
    'Expected Redis to run the call, but it replied with an error; nothing was written',
    { cause },
  )
}

/** For a node of a cluster that is called with a client of one server. */
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
    'Expected Redis to carry out a call within `callTimeoutMs`, but it did not, however often the call was repeated; its outcome is unknown',
    { cause },
  )
}

/** For a client that does not take our calls, or does not return what the server replies. */
export function unsupportedClientError(cause?: Error): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `client` to run a script and to return the reply of the server unchanged: a client of node-redis, ioredis, ' +
      'iovalkey or GLIDE that answers each call by itself (no legacy mode, no `multi`, no pipeline), or an object with `run`',
    cause === undefined ? {} : { cause },
  )
}
