import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { SessionRegistry } from 'session-registry'
import { stateHandles } from 'session-registry/mcp'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { serveHttp } from '../support/http-server.ts'
import { authInfoOf, type ToolAnswer } from '../support/mcp-lines.ts'
import { textOf } from '../support/mcp-tools.ts'

it('state handles: keep state between calls of protocol 2026-07-28, each on a server of its own', async () => {
  const baskets = new SessionRegistry<string[]>({ create: () => [] })
  const { create, use } = stateHandles(baskets, {
    prefix: 'basket_',
    argument: 'basket_id',
    owner: ({ http }) => {
      const { sub } = http?.authInfo?.extra ?? {}
      return sub as string | undefined
    },
  })
  let servers = 0
  const handler = createMcpHandler(
    () => {
      servers += 1
      const server = new McpServer({ name: 'shop', version: '1' })
      server.registerTool('create', {}, create())
      server.registerTool(
        'add',
        { inputSchema: z.object({ basket_id: z.string(), item: z.string() }) },
        use(({ value }, { item }) => {
          value.push(item)
          return { content: [{ type: 'text', text: value.join(' ') }] }
        }),
      )
      return server
    },
    { legacy: 'reject' },
  )
  onTestFinished(() => handler.close())
  const serve = toNodeHandler(handler)
  const url = await serveHttp((request, response) => {
    Object.assign(request, { auth: authInfoOf(String(request.headers['x-person'])) })
    void serve(request as Parameters<typeof serve>[0], response)
  })

  const clientOf = async (person: string) => {
    const client = new Client(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    )
    await client.connect(
      new StreamableHTTPClientTransport(url, { requestInit: { headers: { 'x-person': person } } }),
    )
    onTestFinished(() => client.close())
    return async (name: string, args: Record<string, unknown> = {}) =>
      (await client.callTool({ name, arguments: args })) as unknown as ToolAnswer
  }
  const [ada, eve] = [await clientOf('ada'), await clientOf('eve')]
  const { structuredContent: { basket_id } = {} } = await ada('create')

  expect(textOf(await ada('add', { basket_id, item: 'tea' }))).toBe('tea')
  expect(textOf(await ada('add', { basket_id, item: 'milk' }))).toBe('tea milk')
  expect(textOf(await eve('add', { basket_id, item: 'gin' }))).toBe('There is no such `basket_id`.')
  expect(servers).toBeGreaterThan(3)
  expect(baskets.stats().held).toBe(0)
})
