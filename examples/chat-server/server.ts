import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Histories } from './histories.ts'
import type { Responder } from './responder.ts'

const chatSchema = {
  params: {
    type: 'object',
    required: ['session'],
    properties: { session: { type: 'string', minLength: 1, maxLength: 128 } },
  },
  body: {
    type: 'object',
    required: ['message'],
    properties: { message: { type: 'string', minLength: 1, maxLength: 4_000 } },
  },
} as const

/**
 * Creates a chat server that keeps a history for each visitor. Closing it waits for requests, then closes the
 * histories.
 */
export function chatServer(
  histories: Histories,
  respond: Responder,
  loggerInstance: FastifyBaseLogger,
): FastifyInstance {
  const app = Fastify({
    loggerInstance,
    // Fastify would log the URL of each request, and with it the id that the registry does not log.
    logController: new LogController({ disableRequestLogging: true }),
  })
  // A connection that is kept open would keep the server from closing long after the last answer.
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })

  app.post<{ Params: { session: string }; Body: { message: string } }>(
    '/chat/:session',
    { schema: chatSchema },
    ({ params, body }) =>
      histories.turn(params.session, async (history, signal) => {
        const said = { role: 'visitor', text: body.message } as const
        const reply = await respond([...history, said], signal)
        // A turn that lost its session while it waited must not write any more.
        signal.throwIfAborted()
        history.push(said, { role: 'bot', text: reply })
        return { reply, messages: history.length }
      }),
  )

  app.get<{ Params: { session: string } }>(
    '/chat/:session',
    { schema: { params: chatSchema.params } },
    async ({ params }, reply) => {
      const messages = await histories.read(params.session)
      return messages === undefined ? reply.code(404).send({ error: 'no such session' }) : { messages }
    },
  )

  app.get('/stats', async () => ({ ...histories.stats(), heapUsed: process.memoryUsage().heapUsed }))

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    // The registry's errors have a status, like Fastify's.
    const status = error.statusCode ?? 500
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    reply.code(status).send({ error: status >= 500 ? 'please try again later' : error.message })
  })

  app.addHook('onClose', () => histories.close())
  return app
}
