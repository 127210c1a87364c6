import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { register } from 'prom-client'
import { SessionRegistry } from 'session-registry'
import { collect } from 'session-registry/prometheus'

const chats = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
collect(chats, { register }) // or a list of registries, those on Redis too

const server = createServer((_request, response) => {
  response.setHeader('content-type', register.contentType)
  register.metrics().then(
    (text) => response.end(text),
    () => response.writeHead(500).end(), // a metric of other code has thrown
  )
}).listen(0, '127.0.0.1') // a port that only Prometheus can reach
await once(server, 'listening')

await chats.run('ada', ({ value }) => value.push('hello'))
await chats.run('ben', ({ value }) => value.push('hello'))
chats.delete('ben')

const { port } = server.address() as AddressInfo
const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
console.log(
  text.match(/^session_registry_(sessions|ended_total|turn_duration_seconds_count).*$/gm)?.join('\n'),
)
server.close()
