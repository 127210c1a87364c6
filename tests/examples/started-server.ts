import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { Running } from './running.ts'

/** A request that is on its way. */
interface SentRequest {
  /** Fulfils when all of it is with the operating system. */
  readonly sent: Promise<unknown>
  readonly answer: Promise<{ readonly status: number | undefined; readonly body: string }>
}

/** An example that is a server, in its own process, with what it takes to call it. */
export interface StartedServer {
  readonly running: Running
  /** Sends a request on a connection of its own, and waits for the response. */
  send(url: string, init?: RequestInit): Promise<Response>
  /** Sends a request with a message as JSON, without waiting. */
  post(url: string, message: string, headers?: Readonly<Record<string, string>>): SentRequest
}

/** Starts an example that prints the port which it listens on. */
export async function startServer(
  path: string,
  { env, cwd }: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<StartedServer> {
  const running = new Running(path, { PORT: '0', NODE_ENV: 'production', ...env }, cwd ? { cwd } : {})
  const [, port] = await running.printed(/(?:port: |127\.0\.0\.1:)(\d+)/)
  return {
    running,
    send: (url, { method = 'POST', headers, ...options } = {}) =>
      fetch(`http://127.0.0.1:${port}${url}`, {
        method,
        ...options,
        headers: { 'content-type': 'application/json', connection: 'close', ...headers },
      }),
    post(url, message, headers) {
      const body = JSON.stringify({ message })
      const sending = request(`http://127.0.0.1:${port}${url}`, {
        method: 'POST',
        agent: false,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...headers,
        },
      })
      const sent = once(sending, 'finish')
      sending.end(body)
      return { sent, answer: once(sending, 'response').then(([response]) => read(response)) }
    },
  }
}

async function read(response: IncomingMessage) {
  return { status: response.statusCode, body: await text(response) }
}

/** A request body with a message. */
export const saying = (message: string): RequestInit => ({ body: JSON.stringify({ message }) })
