import express from 'express'
import session, { type SessionData } from 'express-session'
import { SessionRegistry } from 'session-registry'
import { registryStore } from 'session-registry/express-session'

declare module 'express-session' {
  interface SessionData {
    cart?: string[]
  }
}

const { PORT = '3000', SECRET = 'change me' } = process.env
const visitors = new SessionRegistry<SessionData>({ maxSessions: 100_000, tombstoneMs: 60 * 60_000 })
visitors.on('ended', ({ value }, reason) => console.log(`${value.cart?.length ?? 0} in the cart: ${reason}`))

const app = express()
app.use(
  session({
    store: registryStore(visitors),
    secret: SECRET,
    cookie: { maxAge: 24 * 60 * 60_000, sameSite: 'lax' },
    rolling: true, // the browser's cookie lives on with each request, as the session does
    resave: false,
    saveUninitialized: false, // no session for those who only look
  }),
)
app.post('/cart/:item', ({ session, params }, response) => {
  session.cart = [...(session.cart ?? []), params.item]
  response.json(session.cart)
})
app.get('/cart', ({ session }, response) => void response.json(session.cart ?? []))
app.post('/leave', ({ session }, response, next) => {
  session.destroy((error) => (error ? next(error) : response.sendStatus(204)))
})

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log('listening', server.address()))
process.once('SIGTERM', () => server.close(() => visitors.close()))
