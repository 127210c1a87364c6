import '@fastify/cookie'
import fastifySession from '@fastify/session'
import express from 'express'
import session, { type SessionData, type Store } from 'express-session'
import Fastify, { type Session } from 'fastify'
import { SessionRegistry } from 'session-registry'
import { registryStore } from 'session-registry/express-session'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { expectTypeOf } from 'vitest'

/** Checked by `tsc`, never run: the store is accepted by both frameworks as it is, without a cast. */
export async function types(redis: RedisSessionRegistry<SessionData>): Promise<void> {
  const store = registryStore(new SessionRegistry<SessionData>())
  expectTypeOf(store).toExtend<Store>()
  express().use(session({ store, secret: 'secret' }))
  express().use(session({ store: registryStore(redis), secret: 'secret' }))

  expectTypeOf(store).toExtend<fastifySession.SessionStore>()
  const visits = new SessionRegistry<Session>()
  await Fastify().register(fastifySession, { store: registryStore(visits), secret: 'secret' })

  // @ts-expect-error: a registry of something that is no session
  registryStore(new SessionRegistry<string>())
}
