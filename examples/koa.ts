import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import Koa from 'koa'
import { SessionRegistry } from 'session-registry'

const { PORT = '3000' } = process.env
const sessions = new SessionRegistry<string[]>({ create: () => [], maxWaiting: 10 })
const app = new Koa()

app.use(async (context) => {
  const { message = '' } = context.query
  const events = sessions.stream(context.path.slice(1), async function* ({ value }, signal) {
    yield ': the turn has begun\n\n'
    value.push(message)
    for (const part of ['You said: ', message]) {
      await wait(20, undefined, { signal }) // in place of your model
      yield `data: ${JSON.stringify(part)}\n\n`
    }
  })
  await events.next() // a call that is refused is answered with its status: 400, 409, 429, 503, 504
  context.type = 'text/event-stream'
  context.body = Readable.from(events) // Koa destroys it when the visitor leaves
})

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log('listening', server.address()))

process.once('SIGTERM', async () => {
  const answered = new Promise((resolve) => server.close(resolve)) // no new connections
  // `sessions.close()` refuses messages that wait for their turn, so let the server answer them first.
  await Promise.race([answered, wait(10_000, undefined, { ref: false })])
  const { ended, failed } = await sessions.close()
  console.log(`${ended} ended, ${failed.length} failed`)
})
