import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { EchoTransport } from './mcp/echo-transport.ts'
import { mcpHandler } from './mcp/mcp-handler.ts'

const mcp = mcpHandler({ connect: async (id) => new EchoTransport(id), maxSessions: 1 })
const server = createServer(async (request, response) => {
  const body = request.method === 'POST' ? await json(request) : undefined
  await mcp.handle(request, response, body, request.headers.authorization ?? 'no one')
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

/** Sends a request, and returns its status, session id and body. */
async function send(method: string, { session = '', user = 'ada', rpc = 'tools/call' } = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
    method,
    headers: { authorization: user, ...(session === '' ? {} : { 'mcp-session-id': session }) },
    ...(method === 'POST' ? { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: rpc }) } : {}),
  })
  return { status: response.status, session: response.headers.get('mcp-session-id') ?? '', response }
}

console.log((await send('POST')).status) // no session
const { session } = await send('POST', { rpc: 'initialize' })
const stream = (await send('GET', { session })).response // an open stream alone does not hold the session
console.log(await (await send('POST', { session })).response.json())
console.log((await send('POST', { session, user: 'eve' })).status) // another user's session

const second = await send('POST', { rpc: 'initialize' }) // at the cap: the first one is closed
console.log('its stream has ended:', (await stream.text()) === '')
console.log((await send('POST', { session })).status) // the client has to initialize anew
const { status } = await send('DELETE', { session: second.session })
while (mcp.transports.size + mcp.transports.stats().disposing > 0) await wait(10)
console.log(status, 'and none is left')
await mcp.close()
server.close()
