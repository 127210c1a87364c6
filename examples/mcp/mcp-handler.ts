import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isSessionRegistryError, SessionRegistry } from 'session-registry'

/** What is used of a Streamable HTTP transport, which both lines of the TypeScript SDK have. */
export interface Transport {
  handleRequest(request: IncomingMessage, response: ServerResponse, body?: unknown): Promise<void>
  close(): Promise<void>
}

export interface McpOptions {
  /** Makes a server and a transport with this session id, and connects them. */
  readonly connect: (id: string) => Promise<Transport>
  readonly timeoutMs?: number
  readonly maxSessions?: number
}

/** Serves MCP over Streamable HTTP with one server and one transport per session. */
export function mcpHandler({ connect, timeoutMs = 20 * 60_000, maxSessions = 1_000 }: McpOptions) {
  const transports = new SessionRegistry<Transport>({
    name: 'mcp',
    timeoutMs,
    maxSessions, // at the cap the least recently used session is closed, unless a request is under way
    create: connect,
    dispose: (transport) => transport.close(), // awaited, whatever ends the session
  })

  async function serve(request: IncomingMessage, response: ServerResponse, body: unknown, owner: string) {
    const given = request.headers['mcp-session-id']?.toString()
    if (given === undefined && !isInitialize(body)) return refuse(response, 400, 'Mcp-Session-Id is required')
    const id = given ?? randomUUID()
    // Held while the request is under way, for two minutes at the most: a call that its client has cancelled
    // may never be answered.
    const hold = await transports.acquire(id, { create: given === undefined, owner, maxMs: 120_000 })
    if (hold === undefined) return refuse(response, 404, 'Session not found')
    const transport = hold.session.value
    if (request.method !== 'GET') {
      await transport.handleRequest(request, response, body).finally(() => hold.release())
      const isOver = request.method === 'DELETE' || (given === undefined && response.statusCode >= 400)
      if (isOver) transports.delete(id)
      return
    }
    // A client keeps this stream open as long as it is connected. That keeps the session from idling, not
    // from making room for another one.
    hold.release()
    const heartbeat = setInterval(() => transports.touch(id), timeoutMs / 2)
    await transport.handleRequest(request, response).finally(() => clearInterval(heartbeat))
  }

  return {
    transports,
    /** Answers one request of a visitor that the application has authenticated. */
    async handle(request: IncomingMessage, response: ServerResponse, body: unknown, owner: string) {
      try {
        await serve(request, response, body, owner)
      } catch (error) {
        // Another's session looks like one that does not exist.
        const isHidden = isSessionRegistryError(error, 'ERR_SESSION_NOT_OWNER')
        const status = isSessionRegistryError(error) ? error.statusCode : 500
        refuse(response, isHidden ? 404 : status, isHidden ? 'Session not found' : 'Please try again later')
      }
    },
    close: () => transports.close(),
  }
}

function isInitialize(body: unknown): boolean {
  return [body].flat().some((message) => (message as { method?: string } | null)?.method === 'initialize')
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.end()
  const error = { code: status === 404 ? -32001 : -32000, message }
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', error, id: null }))
}
