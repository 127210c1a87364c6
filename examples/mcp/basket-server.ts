import { McpServer } from '@modelcontextprotocol/server'
import { SessionRegistry } from 'session-registry'
import { stateHandles, type ToolCaller } from 'session-registry/mcp'
import { z } from 'zod'

export const baskets = new SessionRegistry<string[]>({
  create: () => [],
  maxAgeMs: 24 * 3_600_000,
  tombstoneMs: 24 * 3_600_000, // for so long, the owner of an expired basket is told so
})

const { policy, create, use, list, drop } = stateHandles(baskets, {
  prefix: 'basket_',
  argument: 'basket_id',
  owner: ({ http }) => personOf(http?.authInfo),
})

/** The person who is logged in. The `clientId` is the application, which all its users share. */
export function personOf(caller: ToolCaller | undefined): string | undefined {
  const { sub } = caller?.extra ?? {}
  return typeof sub === 'string' ? sub : undefined
}

/** Makes a server for one session, or for one request. The baskets are the same for all of them. */
export function newServer(): McpServer {
  const server = new McpServer({ name: 'shop', version: '1.0.0' })
  server.registerTool('create_basket', { description: `Creates a basket. ${policy}` }, create())
  server.registerTool(
    'add_item',
    { inputSchema: z.object({ basket_id: z.string(), item: z.string() }) },
    // One turn: two calls for one basket never overlap.
    use(async ({ value: basket }, { item }) => {
      basket.push(item)
      return { content: [{ type: 'text', text: `In the basket: ${basket.join(', ')}` }] }
    }),
  )
  server.registerTool('list_baskets', {}, list())
  server.registerTool('drop_basket', { inputSchema: z.object({ basket_id: z.string() }) }, drop())
  return server
}
