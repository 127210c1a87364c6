import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SessionRegistry } from 'session-registry'
import { prometheusText } from './metrics/prometheus-text.ts'

const chats = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
const metrics = prometheusText({ chats })

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8').end(metrics())
}).listen(0, '127.0.0.1') // a port that only Prometheus can reach
await once(server, 'listening')

await chats.run('ada', ({ value }) => value.push('hello'))
await chats.run('ben', ({ value }) => value.push('hello'))
chats.delete('ben')

const { port } = server.address() as AddressInfo
console.log(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
server.close()
