import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import session, { type SessionData } from 'express-session'
import { SessionRegistry } from 'session-registry'
import { registryStore } from 'session-registry/express-session'
import { fileStore } from 'session-registry/stores/file'

declare module 'express-session' {
  interface SessionData {
    cart?: string[]
  }
}

const { PORT = '3000', SECRET = 'change me', FOLDER = './visitors' } = process.env
const maxAge = 24 * 60 * 60_000 // with `rolling`, the idle time after which a visitor is forgotten
const visitors = new SessionRegistry<SessionData>({
  store: fileStore(FOLDER), // carts survive a restart
  keepMs: 2 * maxAge, // at least twice the cookie's `maxAge`; older sessions are deleted from the store
  maxSessions: 10_000, // in memory; the others are in the store
  tombstoneMs: 60 * 60_000, // longer than any request: none undoes a log-out
})
visitors.on('ended', ({ value }, reason) => console.log(`${value.cart?.length ?? 0} in the cart: ${reason}`))

const app = express()
app.use(
  session({
    store: registryStore(visitors),
    secret: SECRET,
    cookie: { maxAge, sameSite: 'lax' },
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
process.once('SIGTERM', async () => {
  const answered = new Promise((resolve) => server.close(resolve)) // no new connections
  await Promise.race([answered, wait(10_000, undefined, { ref: false })])
  const { ended, failed } = await visitors.close({ deadlineMs: 10_000 })
  console.log(`${ended} ended, ${failed.length} failed`)
  process.exitCode = failed.length > 0 ? 1 : 0
})
