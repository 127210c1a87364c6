import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import Fastify, { type Session } from 'fastify'
import { SessionRegistry } from 'session-registry'
import { registryStore } from 'session-registry/express-session'

declare module 'fastify' {
  interface Session {
    cart?: string[]
  }
}

const { PORT = '3000', SECRET = 'change me to 32 characters or more' } = process.env
const visitors = new SessionRegistry<Session>({ maxSessions: 100_000, tombstoneMs: 60 * 60_000 })
visitors.on('ended', ({ value }, reason) => console.log(`${value.cart?.length ?? 0} in the cart: ${reason}`))

const app = Fastify()
await app.register(fastifyCookie)
await app.register(fastifySession, {
  store: registryStore(visitors),
  secret: SECRET,
  cookie: { maxAge: 24 * 60 * 60_000, sameSite: 'lax', secure: 'auto' },
  saveUninitialized: false, // by default it stores a session for every visitor
})
app.post<{ Params: { item: string } }>('/cart/:item', async ({ session, params }) => {
  session.cart = [...(session.cart ?? []), params.item]
  return session.cart
})
app.get('/cart', async ({ session }) => session.cart ?? [])
app.addHook('onClose', async () => {
  const { ended, failed } = await visitors.close()
  console.log(`${ended} ended, ${failed.length} failed`)
})
process.once('SIGTERM', () => app.close())

console.log('listening', await app.listen({ port: Number(PORT), host: '127.0.0.1' }))
