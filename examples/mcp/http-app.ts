import { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } from '@modelcontextprotocol/node'
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server'
import express, { type Express } from 'express'
import { mcpTransports } from 'session-registry/mcp'
import { newServer, personOf } from './basket-server.ts'

/** Clients of 2025: a server and a transport for each session. */
export const transports = mcpTransports({
  timeoutMs: 20 * 60_000,
  maxSessions: 1_000, // at the cap, the least recently used session is closed, unless a call is under way
  server: newServer,
  transport: (options) => new NodeStreamableHTTPServerTransport(options),
  owner: (request) => personOf(request.auth),
})

/** Clients of protocol version 2026-07-28: no sessions, and a server for each request. */
export const handler = createMcpHandler(newServer, { legacy: 'reject' })
const handleModern = toNodeHandler(handler)

/** Adds MCP to an application whose middleware has set `request.auth`, as `requireBearerAuth` does. */
export function serveMcp(app: Express): void {
  app.all('/mcp', express.json(), async (request, response) => {
    const { body } = request
    const isLegacy = await isLegacyRequest(await toWebRequest(request, body), body)
    if (isLegacy) await transports.handle(request, response, body)
    else await handleModern(request, response, body)
  })
}
