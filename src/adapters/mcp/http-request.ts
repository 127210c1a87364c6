import type { IncomingMessage } from 'node:http'
import type { ToolCaller } from './tool-context.ts'

/** A request of `node:http`, with what the middleware of an application may have added. */
export interface McpRequest extends IncomingMessage {
  /** The caller, whose `AuthInfo` the SDK passes on to tools. */
  auth?: ToolCaller | undefined
  /** The body, where `express.json()` has read it. */
  body?: unknown
}

/** The largest body that is read here, in bytes: the default of the SDK's transports. */
const maxBodyBytes = 4 * 1024 * 1024

/** Returns the id of a request's session; `undefined` where it names none. */
export function sessionIdOf(request: IncomingMessage): string | undefined {
  return request.headers['mcp-session-id']?.toString() || undefined
}

/**
 * Returns the body that a parser has read, if one has.
 *
 * A function is `next` of Express, where `handle` is passed to it as it is.
 */
export function parsedBodyOf(request: McpRequest, given: unknown): unknown {
  return given === undefined || typeof given === 'function' ? request.body : given
}

/** The result of {@link readJson}: the status that refuses the body, or the body. */
export type ReadBody =
  | { readonly status: 400 | 413 }
  | { readonly status?: undefined; readonly body: unknown }

/** Reads the body of a request as JSON. Rejects where the client goes away meanwhile. */
export async function readJson(request: IncomingMessage): Promise<ReadBody> {
  const bytes = await readBytes(request)
  if (bytes === undefined) return { status: 413 }
  try {
    return { body: JSON.parse(bytes.toString('utf8')) }
  } catch {
    return { status: 400 }
  }
}

/** Returns the bytes of a body; `undefined` where they are too many. */
function readBytes(request: IncomingMessage): Promise<Buffer | undefined> {
  // Another has read it, and has not left it in `body`: no event would come.
  if (request.readableEnded) return Promise.resolve(Buffer.alloc(0))
  if (request.destroyed) return Promise.reject(clientGoneError())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const onData = (chunk: Buffer | string) => {
      const bytes = Buffer.from(chunk as Buffer)
      length += bytes.length
      if (length <= maxBodyBytes) return void chunks.push(bytes)
      // Not destroyed, or there could be no answer.
      request.off('data', onData).pause()
      resolve(undefined)
    }
    request.on('data', onData)
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('error', reject)
    request.once('close', () => reject(clientGoneError()))
  })
}

function clientGoneError(): Error {
  return new Error('The client has gone')
}
