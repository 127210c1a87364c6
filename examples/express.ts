import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import { SessionRegistry } from 'session-registry'

const { PORT = '3000' } = process.env
const sessions = new SessionRegistry<string[]>({ create: () => [], maxWaiting: 10 })
const app = express().use(express.json())

// One request is one turn: a second message of the same session waits for the first answer.
app.post('/chat/:id', async (request, response) => {
  const reply = await sessions.run(request.params.id, async ({ value }, signal) => {
    value.push(request.body.message)
    let text = ''
    for await (const part of askModel(value, signal)) text += part
    value.push(text)
    return text
  })
  response.json({ reply })
})

// Server-sent events: the turn lasts as long as the stream.
app.post('/chat/:id/stream', (request, response, next) => {
  const events = Readable.from(
    sessions.stream(request.params.id, async function* ({ value }, signal) {
      value.push(request.body.message)
      let text = ''
      try {
        for await (const part of askModel(value, signal)) {
          text += part
          yield `data: ${JSON.stringify(part)}\n\n`
        }
      } finally {
        value.push(text) // only a part of it if the visitor leaves
      }
    }),
  )
  events.once('error', next) // before the first event it sets the status: 409, 429, 503, 504
  response.once('close', () => events.destroy()) // the visitor has left: the signal of the turn aborts
  response.type('text/event-stream')
  events.pipe(response)
})

// Reading creates no session.
app.get('/chat/:id', async (request, response) => {
  const history = await sessions.open(request.params.id, { create: false })
  response.status(history === undefined ? 404 : 200).json(history ?? { error: 'no such session' })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log('listening', server.address()))

process.once('SIGTERM', async () => {
  const answered = new Promise((resolve) => server.close(resolve)) // no new connections
  // `sessions.close()` refuses messages that wait for their turn, so let the server answer them first.
  await Promise.race([answered, wait(10_000, undefined, { ref: false })])
  const { ended, failed } = await sessions.close({ deadlineMs: 10_000 })
  console.log(`${ended} ended, ${failed.length} failed`)
  process.exitCode = failed.length > 0 ? 1 : 0
})

/** In place of your model. */
async function* askModel(history: readonly string[], signal: AbortSignal) {
  for (const part of ['You said: ', ...(history.at(-1) ?? '').split(/(?<= )/)]) {
    await wait(20, undefined, { signal })
    yield part
  }
}
