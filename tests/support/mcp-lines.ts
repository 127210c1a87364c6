import { Client as Client2, StreamableHTTPClientTransport as HttpClient2 } from '@modelcontextprotocol/client'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as HttpClient1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InMemoryTransport as InMemory1 } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer as Server1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { InMemoryTransport as InMemory2, McpServer as Server2 } from '@modelcontextprotocol/server'

/** What a tool returns, as its client is given it. */
export interface ToolAnswer {
  readonly content: readonly { readonly type: string; readonly text: string }[]
  readonly structuredContent?: Readonly<Record<string, unknown>>
  readonly isError?: boolean
}

export interface McpTestServer {
  registerTool(name: string, config: object, callback: (...call: never[]) => unknown): unknown
  connect(transport: never): Promise<void>
  close(): Promise<void>
}

export interface McpTestClient {
  connect(transport: object): Promise<void>
  callTool(
    call: { readonly name: string; readonly arguments?: Readonly<Record<string, unknown>> },
    ...options: unknown[]
  ): Promise<unknown>
  close(): Promise<void>
}

interface InMemoryEnd {
  send(message: never, options?: object): Promise<void>
}

interface TransportOptions {
  readonly sessionIdGenerator: () => string
  readonly enableJsonResponse?: boolean
  readonly enableDnsRebindingProtection?: boolean
  readonly allowedOrigins?: string[]
}

export interface HttpServerTransport {
  handleRequest(request: never, response: never, parsedBody?: unknown): Promise<void>
  close(): Promise<void>
  onclose?: (() => void) | undefined
}

export interface HttpClientTransport {
  readonly sessionId: string | undefined
  terminateSession(): Promise<void>
  close(): Promise<void>
}

const info = { name: 'test', version: '1' }

/** The two lines of the MCP TypeScript SDK, with what the tests use of each under one name. */
export const lines = [
  {
    name: '@modelcontextprotocol/sdk 1.x',
    newServer: () => new Server1(info) as unknown as McpTestServer,
    newClient: () => new Client1(info) as unknown as McpTestClient,
    newPair: () => InMemory1.createLinkedPair() as unknown as [InMemoryEnd, InMemoryEnd],
    newHttpServer: (options: TransportOptions) =>
      new StreamableHTTPServerTransport(options) as unknown as HttpServerTransport,
    newHttpClient: (url: URL, headers: Record<string, string>) =>
      new HttpClient1(url, { requestInit: { headers } }) as unknown as HttpClientTransport,
    call: (client: McpTestClient, call: Parameters<McpTestClient['callTool']>[0], options?: object) =>
      client.callTool(call, undefined, options),
  },
  {
    name: '@modelcontextprotocol/server 2.x',
    newServer: () => new Server2(info) as unknown as McpTestServer,
    newClient: () => new Client2(info) as unknown as McpTestClient,
    newPair: () => InMemory2.createLinkedPair() as unknown as [InMemoryEnd, InMemoryEnd],
    newHttpServer: (options: TransportOptions) =>
      new NodeStreamableHTTPServerTransport(options) as unknown as HttpServerTransport,
    newHttpClient: (url: URL, headers: Record<string, string>) =>
      new HttpClient2(url, { requestInit: { headers } }) as unknown as HttpClientTransport,
    call: (client: McpTestClient, call: Parameters<McpTestClient['callTool']>[0], options?: object) =>
      client.callTool(call, options),
  },
] as const

export type McpLine = (typeof lines)[number]

/** A caller whose application is the same for all people. */
export function authInfoOf(person: string) {
  return { token: 'token', clientId: 'one application', scopes: [], extra: { sub: person } }
}
