import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { transports } from './mcp/sandbox-server.ts'

const server = createServer(transports.handle).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)

async function connect() {
  const client = new Client({ name: 'example', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(url)
  await client.connect(transport as never)
  const execute = async (command: string) => {
    const { content } = await client.callTool({ name: 'execute', arguments: { command } })
    console.log((content as { text: string }[])[0]?.text)
  }
  return { transport, execute }
}

const ada = await connect()
await ada.execute('one')
await ada.execute('two')
await ada.transport.terminateSession() // a DELETE

const ben = await connect()
await ben.execute('three')
await transports.close()
server.close()
server.closeAllConnections()
