import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { fastify } from 'fastify'
import { type ContenderName, openContender } from './contenders.ts'

// A server in a process of its own: `server.js <contender> <promises>`. It sends its port, and answers each
// message with its CPU time so far, in microseconds. `promises`: how many another middleware awaits.

const [name, promises] = process.argv.slice(2) as [ContenderName, string]
const amount = Number(promises)
const { exclusive, middleware } = await openContender(name)

const app = fastify()
if (middleware !== undefined) app.addHook('onRequest', (_request, _reply, next) => middleware(next))
if (amount > 0) {
  const step = async () => {}
  app.addHook('onRequest', async () => {
    for (let index = 0; index < amount; index += 1) await step()
  })
}
app.get<{ Params: { id: string } }>('/visit/:id', (request) =>
  exclusive(request.params.id, (value) => {
    value.count += 1
    return { count: value.count }
  }),
)
await app.listen({ port: 0, host: '127.0.0.1' })

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.on('disconnect', () => process.exit(0))
process.send?.((app.server.address() as AddressInfo).port)
