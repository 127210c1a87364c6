import { createHash, timingSafeEqual } from 'node:crypto'
import express from 'express'
import { SessionRegistry } from 'session-registry'
import { inspector, nodeHandler } from 'session-registry/inspector'

const { PORT = '3000', ADMIN_KEY = '' } = process.env
const chats = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
const inspect = inspector([chats], { authorize: isAdmin, endSessions: true })

const app = express().use(express.json())
app.use('/admin/sessions', nodeHandler(inspect))
app.post('/chat/:id', async ({ params, body }, response) => {
  response.json({ messages: await chats.run(params.id, ({ value }) => value.push(body.message)) })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log('listening', server.address()))

/** In place of your log-in: whether the cookie `admin` has the key. */
function isAdmin({ headers }: Request): boolean {
  const key = /(?:^|; )admin=([\w-]+)(?:;|$)/.exec(headers.get('cookie') ?? '')?.[1] ?? ''
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return ADMIN_KEY !== '' && timingSafeEqual(hash(key), hash(ADMIN_KEY))
}
