import express, { type Express } from 'express'
import session, { type SessionData } from 'express-session'
import { SessionRegistry } from 'session-registry'
import { registryStore } from 'session-registry/express-session'

const day = 86_400_000

export function appOnRegistry(): Express {
  const app = express()
  app.use(
    session({
      store: registryStore(new SessionRegistry<SessionData>({ maxSessions: 10_000 })),
      secret: 'change me',
      cookie: { maxAge: day },
      resave: false,
      saveUninitialized: false,
    }),
  )
  return app
}
