import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { type CloseOptions, checkOwner } from '../../core/options/call-options.ts'
import { defaultMaxTurnMs } from '../../core/options/shared-options.ts'
import { checkFunction, checkOptions, checkPositive } from '../../core/options/validate.ts'
import { emitWarning } from '../../core/process/warning.ts'
import type { Session } from '../../core/session.ts'
// The one adapter with sessions of its own: a transport is of one process, and no application keeps it.
import { SessionRegistry } from '../../memory/session-registry.ts'
import {
  type Connection,
  type McpServerLike,
  type McpTransport,
  type McpTransportOptions,
  openConnection,
} from './connection.ts'
import { answerFor, answers, send } from './http-answer.ts'
import { type McpRequest, parsedBodyOf, readJson, sessionIdOf } from './http-request.ts'
import { isInitialize, isSdkTransport, refusalOf } from './initialize.ts'

type MaybeOwner = string | null | undefined

/** Options of {@link mcpTransports}. */
export interface McpTransportsOptions {
  /**
   * How long a session may stay without a request and without an open stream before its transport is closed.
   *
   * Milliseconds; positive, or `Infinity` for no idle limit.
   */
  readonly timeoutMs: number
  /**
   * The most sessions at once. At the cap a new one waits until the least recently active one that has no
   * request under way is closed; where all have, it is answered with 503.
   *
   * An integer of at least 1, or `Infinity`.
   *
   * @defaultValue Infinity
   */
  readonly maxSessions?: number | undefined
  /** Makes the server of a new session. */
  server(this: void): McpServerLike | PromiseLike<McpServerLike>
  /**
   * Makes the transport of a new session from these options and your own: `new …Transport({ ...options })`.
   */
  transport(this: void, options: McpTransportOptions): McpTransport | PromiseLike<McpTransport>
  /**
   * Returns to whom the session of a request belongs: the person whom you have authenticated. To all others
   * the session does not exist. `undefined`: the caller is not known, and is answered with 403.
   *
   * There is no default: `clientId` names the application, which all its users share. Without this option a
   * session serves everyone who has its id.
   */
  owner?(this: void, request: McpRequest): MaybeOwner | PromiseLike<MaybeOwner>
}

/** The sessions of an MCP server over Streamable HTTP. */
export interface McpTransports {
  /**
   * Answers one request of `node:http`: any method, of any session.
   *
   * `parsedBody` is the body where a parser has read it; `request.body` is used without it, so that Express
   * takes the function as it is: `app.all('/mcp', handle)`. It resolves when the response is closed, and
   * never rejects: a failure of a factory or of `owner` is answered with 500 and emitted as a warning of the
   * process.
   */
  handle(this: void, request: McpRequest, response: ServerResponse, parsedBody?: unknown): Promise<void>
  /**
   * Refuses further requests, and resolves when all servers and transports are closed. Requests under way
   * have until `deadlineMs`. A response that is still open then is ended: with 503, where it has not begun.
   */
  close(this: void, options?: CloseOptions): Promise<void>
}

/**
 * Serves MCP over Streamable HTTP with one server and one transport per session: for clients of protocol
 * versions before 2026-07-28.
 *
 * A session is held while a request is under way, for at most 20 minutes or `timeoutMs`, if that is longer. A
 * stream that its client keeps open with GET keeps it from idling, and not from being closed at the cap. The
 * session ends, and its server and transport are closed, when it is idle, at the cap, by DELETE, when its
 * transport closes, and by `close`. An unknown id is answered with 404. Where transports are those of the
 * SDK, an `initialize` that they would refuse costs no session its place.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 *
 * @example
 * const { handle, close } = mcpTransports({
 *   timeoutMs: 20 * 60_000,
 *   maxSessions: 1_000,
 *   server: newServer,
 *   transport: (options) => new StreamableHTTPServerTransport(options),
 *   owner: (request) => personOf(request.auth),
 * })
 */
export function mcpTransports(options: McpTransportsOptions): McpTransports {
  const known = ['timeoutMs', 'maxSessions', 'server', 'transport', 'owner']
  const given = checkOptions('options', options, known)
  const timeoutMs = checkPositive('timeoutMs', given.timeoutMs)
  const server = checkFunction('server', given.server as McpTransportsOptions['server'])
  const transport = checkFunction('transport', given.transport as McpTransportsOptions['transport'])
  const ownerOf = given.owner === undefined ? undefined : checkFunction('owner', given.owner)
  const maxMs = defaultMaxTurnMs(timeoutMs)

  /** Whether the application's transports are the SDK's: known when there is one. */
  let areOfSdk = false
  /** Those that may have open responses. */
  const connections = new Set<Connection>()
  const sessions = new SessionRegistry<Connection>({
    name: 'mcp',
    timeoutMs,
    intervalMs: Math.min(Math.max(timeoutMs / 4, 1), maxIntervalMs),
    maxSessions: given.maxSessions,
    create: async (id) => {
      const connection = await openConnection(id, { server, transport }, () => sessions.delete(id))
      connections.add(connection)
      areOfSdk ||= isSdkTransport(connection.transport)
      return connection
    },
    dispose: async (connection, reason) => {
      try {
        await connection.close(reason === 'closed')
      } finally {
        // Not waited for: a deadline of zero leaves no time for it.
        void connection.endResponses().then(() => connections.delete(connection))
      }
    },
  })
  sessions.on('error', (error) => {
    // A call that its client has cancelled may never be answered: nothing is wrong.
    if (!isSessionRegistryError(error, 'ERR_SESSION_TURN_TIMEOUT')) warn('An MCP session failed', error)
  })

  /** Passes a GET on: its stream keeps the session from idling, and does not hold it. */
  async function passStream(
    session: Session<Connection>,
    request: McpRequest,
    response: ServerResponse,
    closed: Promise<void>,
  ): Promise<void> {
    const connection = session.value
    connection.streams += 1
    session.timeoutMs = Number.POSITIVE_INFINITY
    try {
      await connection.handle(request, response, closed, undefined)
    } finally {
      connection.streams -= 1
      // The idle time begins now.
      if (sessions.touch(session.id) && connection.streams === 0) session.timeoutMs = undefined
    }
  }

  async function serve(request: McpRequest, response: ServerResponse, parsedBody: unknown): Promise<void> {
    const { closed, signal } = endOf(response)
    const owner = await ownerOf?.(request)
    if (ownerOf !== undefined && !owner) return send(response, answers.unknownCaller)
    if (ownerOf !== undefined) checkOwner('owner(request)', owner)

    const given = sessionIdOf(request)
    let body = request.method === 'POST' ? parsedBodyOf(request, parsedBody) : undefined
    if (given === undefined) {
      if (request.method !== 'POST') return send(response, answers.noSession)
      if (body === undefined) {
        const read = await readJson(request)
        if (read.status !== undefined)
          return send(response, read.status === 413 ? answers.tooLarge : answers.unreadable)
        body = read.body
      }
      if (!isInitialize(body)) return send(response, answers.noSession)
      // Before the first transport there is no session that a refused one could cost.
      const refusal = areOfSdk ? refusalOf(request, body) : undefined
      if (refusal !== undefined) return send(response, refusal)
    }

    const id = given ?? randomUUID()
    const isNew = given === undefined
    const hold = await sessions.acquire(id, { create: isNew, owner: owner ?? undefined, maxMs, signal })
    if (hold === undefined) return send(response, answers.unknownSession)
    const { session } = hold
    if (request.method === 'GET') {
      hold.release()
      return await passStream(session, request, response, closed)
    }
    let isAnswered = false
    try {
      await session.value.handle(request, response, closed, body)
      isAnswered = response.statusCode < 400
    } finally {
      hold.release()
      // A refused `initialize` begins no session. After a DELETE the transport has closed by itself, in both
      // lines of the SDK; another may not.
      if (isNew ? !isAnswered : request.method === 'DELETE' && isAnswered) sessions.delete(id)
    }
  }

  return {
    handle: async (request, response, parsedBody) => {
      try {
        await serve(request, response, parsedBody)
      } catch (error) {
        // There is no one to answer, and the failure is often just that.
        if (response.closed) return
        const answer = answerFor(error)
        if (answer === answers.failed) warn('An MCP request failed', error)
        send(response, answer)
      }
    },
    close: async (options) => {
      await sessions.close(options)
      await Promise.all(Array.from(connections, (connection) => connection.endResponses()))
    },
  }
}

/** The longest interval of the sweep, in milliseconds: an idle transport holds more than memory. */
const maxIntervalMs = 60_000

/** Returns the end of a response, as a promise and as a signal. */
function endOf(response: ServerResponse): { readonly closed: Promise<void>; readonly signal: AbortSignal } {
  const end = new AbortController()
  const closed = new Promise<void>((resolve) => {
    const onClose = () => {
      end.abort()
      resolve()
    }
    if (response.closed) onClose()
    else response.once('close', onClose)
  })
  return { closed, signal: end.signal }
}

function warn(what: string, error: unknown): void {
  emitWarning(`${what}: ${inspect(error)}`)
}
