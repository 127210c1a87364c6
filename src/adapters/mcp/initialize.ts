import type { IncomingMessage } from 'node:http'
import { answers, type HttpAnswer } from './http-answer.ts'

/** A JSON object, with the members that are read here. */
interface JsonObject {
  readonly jsonrpc?: unknown
  readonly id?: unknown
  readonly method?: unknown
  readonly params?: unknown
  readonly protocolVersion?: unknown
  readonly capabilities?: unknown
  readonly clientInfo?: unknown
  readonly name?: unknown
  readonly version?: unknown
}

/** The most messages of a batch, as in both lines of the SDK. */
const maxBatchSize = 100

/** Whether a message, or one of a batch, asks for a new session. */
export function isInitialize(body: unknown): boolean {
  return [body].flat().some((message) => isObject(message) && message.method === 'initialize')
}

/**
 * Whether a transport is of the SDK, or of a class that extends one of it. By name, since the SDK is not
 * imported: a bundle that renames its classes is not recognized.
 */
export function isSdkTransport(transport: object): boolean {
  for (let made = transport; made !== null; made = Object.getPrototypeOf(made)) {
    if (/StreamableHTTPServerTransport$/.test(made.constructor?.name)) return true
  }
  return false
}

/**
 * Returns the answer of the SDK's transports to an `initialize` that they refuse; `undefined` where they
 * accept it.
 *
 * They would refuse it only when there is a server, and at the cap another session has been closed for it.
 * What is checked here is what both lines of the SDK require, in their order. A transport may refuse for
 * reasons of its own, such as a host that it does not allow.
 */
export function refusalOf(request: IncomingMessage, body: unknown): HttpAnswer | undefined {
  const { accept, 'content-type': contentType } = request.headers
  if (!accept?.includes('application/json') || !accept.includes('text/event-stream'))
    return answers.notAcceptable
  if (contentType?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json')
    return answers.unsupportedMediaType
  if (Array.isArray(body) && body.length > maxBatchSize) return answers.batchTooLong
  const messages = [body].flat()
  if (!messages.every(isMessage)) return answers.invalidMessage
  if (!messages.some(isInitializeRequest)) return answers.notInitialized
  return messages.length > 1 ? answers.severalMessages : undefined
}

/** Whether a value may be a message of JSON-RPC. */
function isMessage(value: unknown): boolean {
  if (!isObject(value) || value.jsonrpc !== '2.0') return false
  const { id, params } = value
  return (
    (id === undefined || typeof id === 'string' || Number.isInteger(id)) &&
    (params === undefined || isObject(params))
  )
}

/**
 * Whether a message has what an `initialize` must have.
 *
 * A notification is none: the SDK would begin a session, and not answer with its id.
 */
function isInitializeRequest(message: unknown): boolean {
  if (!isObject(message) || message.method !== 'initialize' || message.id === undefined) return false
  const { params } = message
  if (!isObject(params) || !isObject(params.clientInfo)) return false
  const { name, version } = params.clientInfo
  return (
    typeof params.protocolVersion === 'string' &&
    isObject(params.capabilities) &&
    typeof name === 'string' &&
    typeof version === 'string'
  )
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
