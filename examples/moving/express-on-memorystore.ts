import express, { type Express } from 'express'
import session from 'express-session'
import createMemoryStore from 'memorystore'

const day = 86_400_000
const MemoryStore = createMemoryStore(session)

export function appOnMemorystore(): Express {
  const app = express()
  app.use(
    session({
      store: new MemoryStore({ checkPeriod: day, max: 10_000 }),
      secret: 'change me',
      cookie: { maxAge: day },
      resave: false,
      saveUninitialized: false,
    }),
  )
  return app
}
