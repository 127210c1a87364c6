import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import Fastify from 'fastify'
import { SessionRegistry } from 'session-registry'

const { PORT = '3000' } = process.env
const sessions = new SessionRegistry<string[]>({ create: () => [], maxWaiting: 10 })
const app = Fastify()
type Chat = { Params: { id: string }; Body: { message: string } }

app.post<Chat>('/chat/:id/stream', ({ params, body }, reply) => {
  const events = sessions.stream(params.id, async function* ({ value }, signal) {
    value.push(body.message)
    for (const part of ['You said: ', body.message]) {
      await wait(20, undefined, { signal }) // in place of your model
      yield `data: ${JSON.stringify(part)}\n\n`
    }
  })
  // Fastify destroys the stream when the visitor leaves, and answers an early error with its status.
  return reply.type('text/event-stream').send(Readable.from(events))
})

// `sessions.close()` refuses messages that wait for their turn. Fastify answers them before `onClose`.
app.addHook('preClose', async () => {
  setTimeout(() => sessions.close(), 10_000).unref() // a stream may last longer
})
app.addHook('onClose', async () => {
  const { ended, failed } = await sessions.close()
  console.log(`${ended} ended, ${failed.length} failed`)
})
process.once('SIGTERM', () => app.close())

console.log('listening', await app.listen({ port: Number(PORT), host: '127.0.0.1' }))
