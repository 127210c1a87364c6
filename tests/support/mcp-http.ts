import type { IncomingMessage, ServerResponse } from 'node:http'
import { type McpTransportsOptions, mcpTransports } from 'session-registry/mcp'
import { onTestFinished } from 'vitest'
import { deferred } from './deferred.ts'
import { serveHttp } from './http-server.ts'
import type { McpLine, McpTestServer, ToolAnswer } from './mcp-lines.ts'
import { waitUntil } from './wait-until.ts'

export const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}

export const ping = { jsonrpc: '2.0', id: 2, method: 'ping' }

export interface SentRequest {
  readonly session?: string
  readonly person?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Sends a request as a client of the SDK does, unless its `headers` say otherwise. */
export function sendTo(
  url: URL,
  method: string,
  { session, person, body, headers, signal }: SentRequest = {},
): Promise<Response> {
  const all = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-session-id': session,
    'x-person': person,
    ...headers,
  }
  return fetch(url, {
    method,
    headers: Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/**
 * Serves {@link mcpTransports} of one line of the SDK. Its servers have the tools `echo`, and `wait`, which
 * answers when `release` is called, or its signal aborts.
 */
export async function serveMcp(
  line: McpLine,
  options: Partial<McpTransportsOptions> = {},
  listen = (handle: Handle): Handle | Parameters<typeof serveHttp>[0] => handle,
) {
  const servers: McpTestServer[] = []
  const waits: { readonly signal: AbortSignal; release(): void }[] = []
  const closes: string[] = []
  let openStreams = 0

  function newServer(): McpTestServer {
    const server = line.newServer()
    const name = `server ${servers.push(server)}`
    const close = server.close.bind(server)
    server.close = async () => {
      await close()
      closes.push(name)
    }
    server.registerTool('echo', {}, () => ({ content: [{ type: 'text', text: name }] }))
    server.registerTool(
      'wait',
      {},
      async (context: { signal?: AbortSignal; mcpReq?: { signal: AbortSignal } }) => {
        const signal = context.mcpReq?.signal ?? context.signal
        if (signal === undefined) throw new Error('no signal')
        const end = deferred<string>()
        signal.addEventListener('abort', () => end.resolve('aborted'))
        waits.push({ signal, release: () => end.resolve('released') })
        return { content: [{ type: 'text', text: await end.promise }] }
      },
    )
    return server
  }

  const transports = mcpTransports({
    timeoutMs: 60_000,
    server: newServer,
    transport: (given) => line.newHttpServer(given),
    ...options,
  })
  const handled: Promise<void>[] = []
  const handle: Handle = (request, response, body) => {
    if (request.method === 'GET') {
      openStreams += 1
      response.once('close', () => {
        openStreams -= 1
      })
    }
    const done = transports.handle(request, response, body)
    handled.push(done)
    return done
  }
  const url = await serveHttp(listen(handle) as Parameters<typeof serveHttp>[0])

  const request = (method: string, sent?: SentRequest) => sendTo(url, method, sent)

  return {
    url,
    transports,
    servers,
    waits,
    closes,
    handled,
    request,
    get openStreams() {
      return openStreams
    },
    /** The status of a request, once it was answered in full. */
    async statusOf(method: string, sent: SentRequest = {}): Promise<number> {
      const response = await request(method, sent)
      await response.text()
      return response.status
    },
    /** Begins a session without a stream, and returns its id. */
    async begin(person?: string): Promise<string> {
      const response = await request('POST', {
        body: initialize,
        ...(person === undefined ? {} : { person }),
      })
      await response.text()
      return response.headers.get('mcp-session-id') ?? ''
    },
    /** Connects a client of the SDK, and waits until it has opened its stream. */
    async connect(person = 'ada') {
      const client = line.newClient()
      const transport = line.newHttpClient(url, { 'x-person': person })
      const before = openStreams
      await client.connect(transport)
      onTestFinished(() => client.close())
      await waitUntil(() => openStreams > before)
      const call = async (name: string, options?: object) =>
        (await line.call(client, { name }, options)) as ToolAnswer
      return { client, transport, call, session: transport.sessionId ?? '' }
    },
    /** Waits until as many calls of `wait` are under way. */
    waiting: (count: number) => waitUntil(() => waits.length >= count),
  }
}

export type Handle = (request: IncomingMessage, response: ServerResponse, body?: unknown) => Promise<void>
