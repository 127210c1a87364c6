import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import express from 'express'
import { serveMcp, transports } from './mcp/http-app.ts'

const app = express()
// In place of a real login.
app.use((request, _response, next) => {
  const person = request.headers.authorization
  Object.assign(request, { auth: { token: '', clientId: 'app', scopes: [], extra: { sub: person } } })
  next()
})
serveMcp(app)
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)

/** Connects a client of either protocol, and returns a function that calls tools. */
async function connect(person: string, mode: 'legacy' | 'auto') {
  const client = new Client({ name: 'example', version: '1.0.0' }, { versionNegotiation: { mode } })
  const transport = new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { authorization: person } },
  })
  await client.connect(transport)
  return async (name: string, args: Record<string, string> = {}) => {
    const result = (await client.callTool({ name, arguments: args })) as CallToolResult
    const [text] = result.content
    console.log(text?.type === 'text' ? text.text.replace(/basket_\w+(?= |\.|,)/, 'basket_…') : result)
    return result.structuredContent as Record<string, string>
  }
}

const ada = await connect('ada', 'legacy')
const { basket_id = '' } = await ada('create_basket')
await ada('add_item', { basket_id, item: 'tea' })

// The same person with a client of the new protocol, and someone else.
const modern = await connect('ada', 'auto')
await modern('add_item', { basket_id, item: 'milk' })
const eve = await connect('eve', 'auto')
await eve('add_item', { basket_id, item: 'gin' })
await modern('drop_basket', { basket_id })

await transports.close()
server.close()
server.closeAllConnections()
