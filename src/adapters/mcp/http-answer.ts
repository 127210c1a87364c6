import type { ServerResponse } from 'node:http'
import { isSessionRegistryError } from '../../core/errors/session-registry-error.ts'

/** An answer that is not left to the transport. */
export interface HttpAnswer {
  readonly status: number
  readonly code: number
  readonly message: string
}

export const answers = {
  noSession: { status: 400, code: -32000, message: 'Bad Request: Mcp-Session-Id header is required' },
  notInitialized: { status: 400, code: -32000, message: 'Bad Request: Server not initialized' },
  severalMessages: {
    status: 400,
    code: -32600,
    message: 'Invalid Request: Only one initialization request is allowed',
  },
  batchTooLong: {
    status: 400,
    code: -32600,
    message: 'Invalid Request: Batch must not exceed 100 messages',
  },
  invalidMessage: { status: 400, code: -32700, message: 'Parse error: Invalid JSON-RPC message' },
  notAcceptable: {
    status: 406,
    code: -32000,
    message: 'Not Acceptable: Client must accept both application/json and text/event-stream',
  },
  unsupportedMediaType: {
    status: 415,
    code: -32000,
    message: 'Unsupported Media Type: Content-Type must be application/json',
  },
  unreadable: { status: 400, code: -32700, message: 'Parse error' },
  tooLarge: { status: 413, code: -32000, message: 'Payload Too Large' },
  unknownCaller: { status: 403, code: -32000, message: 'Forbidden' },
  unknownSession: { status: 404, code: -32001, message: 'Session not found' },
  unavailable: { status: 503, code: -32000, message: 'Service Unavailable' },
  failed: { status: 500, code: -32603, message: 'Internal error' },
} as const satisfies Record<string, HttpAnswer>

/** Returns the answer to a request that failed with an error. It shows nothing of the error. */
export function answerFor(error: unknown): HttpAnswer {
  if (!isSessionRegistryError(error)) return answers.failed
  // Another owner's session looks like one that does not exist.
  if (error.code === 'ERR_SESSION_NOT_OWNER' || error.code === 'ERR_SESSION_ID_INVALID')
    return answers.unknownSession
  // Full, closing, or too many that wait.
  return [429, 503].includes(error.statusCode) ? answers.unavailable : answers.failed
}

/** Sends an answer as a JSON-RPC error. Where a part of another was sent, that is ended. */
export function send(response: ServerResponse, { status, code, message }: HttpAnswer): void {
  if (response.destroyed || response.writableEnded) return
  if (response.headersSent) return void response.destroy()
  response.setHeader('content-type', 'application/json')
  // The rest of the body is not read.
  if (status === 413) response.setHeader('connection', 'close')
  response.statusCode = status
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }))
}
