import express, { type Express } from 'express'
import session, { type SessionData } from 'express-session'
import { SessionRegistry } from 'session-registry'
import { RegistryStore } from '../adapters/express-session.ts'

const day = 86_400_000

export function appOnRegistry(): Express {
  const sessions = new SessionRegistry<SessionData>({
    timeoutMs: day, // as long as the cookie
    maxSessions: 10_000,
    create: () => ({ cookie: new session.Cookie() }),
  })
  const app = express()
  app.use(
    session({
      store: new RegistryStore(sessions),
      secret: 'change me',
      cookie: { maxAge: day },
      resave: false,
      saveUninitialized: false,
    }),
  )
  return app
}
