import { createServer } from 'node:http'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { McpServer as Server1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { McpServer as Server2, type ServerContext } from '@modelcontextprotocol/server'
import express from 'express'
import type { Session, SessionRegistry } from 'session-registry'
import { mcpTransports, stateHandles, type ToolCaller, type ToolContext } from 'session-registry/mcp'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

type Basket = string[]

/** Checked by `tsc`, never run: a line marked with `@ts-expect-error` fails if it compiles. */
export function handles(registry: SessionRegistry<Basket>, onRedis: RedisSessionRegistry<Basket>) {
  const { policy, create, use, list, drop } = stateHandles(registry, {
    prefix: 'basket_',
    argument: 'basket_id',
    owner: ({ http, authInfo }) => subjectOf(http?.authInfo ?? authInfo),
  })
  stateHandles(onRedis, {
    prefix: 'basket_',
    argument: 'basket_id',
    owner: async (context: ServerContext) => context.http?.authInfo?.clientId,
  })
  expectTypeOf(policy).toEqualTypeOf<string>()

  const inputSchema = z.object({ basket_id: z.string(), item: z.string() })
  const text = (text: string) => ({ content: [{ type: 'text' as const, text }] })

  const server1 = new Server1({ name: 'shop', version: '1' })
  server1.registerTool('create', { description: policy }, create())
  server1.registerTool('create_for', { inputSchema: z.object({ name: z.string() }) }, create())
  server1.registerTool(
    'create_with',
    { inputSchema: { name: z.string() } },
    create(({ value }, { name }, extra, signal) => {
      expectTypeOf(value).toEqualTypeOf<Basket>()
      expectTypeOf(name).toEqualTypeOf<string>()
      expectTypeOf(extra.signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      value.push(name)
      return text(name)
    }),
  )
  server1.registerTool(
    'create_async',
    { inputSchema },
    create(async ({ value }, { item }) => {
      value.push(item)
    }),
  )
  server1.registerTool(
    'add',
    { inputSchema },
    use((session, { item }, extra) => {
      expectTypeOf(session).toEqualTypeOf<Session<Basket>>()
      expectTypeOf(item).toEqualTypeOf<string>()
      expectTypeOf(extra.sessionId).toEqualTypeOf<string | undefined>()
      return text(item)
    }),
  )
  server1.registerTool('list', {}, list())
  server1.registerTool('drop', { inputSchema: { basket_id: z.string() } }, drop())

  const server2 = new Server2({ name: 'shop', version: '1' })
  server2.registerTool('create', { description: policy }, create())
  server2.registerTool(
    'create_with',
    { inputSchema: z.object({ name: z.string() }) },
    create(({ value }, { name }, ctx) => {
      expectTypeOf(name).toEqualTypeOf<string>()
      expectTypeOf(ctx.mcpReq.signal).toEqualTypeOf<AbortSignal>()
      value.push(name)
      return text(name)
    }),
  )
  server2.registerTool(
    'add',
    { inputSchema },
    use(async ({ value }, { item }, ctx) => {
      expectTypeOf(item).toEqualTypeOf<string>()
      expectTypeOf(ctx).toEqualTypeOf<ServerContext>()
      return text(`${value.push(item)} items`)
    }),
  )
  server2.registerTool('list', {}, list())
  server2.registerTool('drop', { inputSchema: z.object({ basket_id: z.string() }) }, drop())

  const shape = { item: z.string() }
  // @ts-expect-error: its arguments lack the handle
  server1.registerTool('add', { inputSchema: shape }, drop())
  // @ts-expect-error: its arguments lack the handle
  server2.registerTool('add', { inputSchema: z.object(shape) }, drop())
  // @ts-expect-error: its arguments lack the handle
  use((_session, _args: { item: string }) => text(''))
  // @ts-expect-error: the result of a tool has content
  server2.registerTool(
    'add',
    { inputSchema },
    use(() => 'done'),
  )
  // @ts-expect-error: the name of the argument is required
  stateHandles(registry, { prefix: 'basket_' })
  // @ts-expect-error: an owner is a string
  stateHandles(registry, { prefix: 'basket_', argument: 'basket_id', owner: () => 7 })
  expectTypeOf<ServerContext>().toExtend<ToolContext>()
}

/** Checked by `tsc`, never run: a line marked with `@ts-expect-error` fails if it compiles. */
export function transports() {
  const { handle, close } = mcpTransports({
    timeoutMs: 60_000,
    server: () => new Server1({ name: 'shop', version: '1' }),
    transport: (options) => new StreamableHTTPServerTransport({ ...options, enableJsonResponse: true }),
    owner: (request) => subjectOf(request.auth),
  })
  mcpTransports({
    timeoutMs: 60_000,
    maxSessions: 5,
    server: async () => new Server2({ name: 'shop', version: '1' }),
    transport: (options) => new NodeStreamableHTTPServerTransport(options),
    owner: (request: express.Request) => request.header('x-user'),
  })
  const app = express()
  app.all('/mcp', handle)
  app.post('/mcp', (request, response) => handle(request, response, request.body))
  createServer(handle)
  expectTypeOf(close()).toEqualTypeOf<Promise<void>>()
  // @ts-expect-error: the idle timeout is required
  mcpTransports({
    server: () => new Server1({ name: 'shop', version: '1' }),
    transport: () => new StreamableHTTPServerTransport(),
  })
}

function subjectOf(caller: ToolCaller | undefined): string | undefined {
  const { sub } = caller?.extra ?? {}
  return typeof sub === 'string' ? sub : undefined
}
