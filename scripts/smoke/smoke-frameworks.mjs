import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import process from 'node:process'
import { HumanMessage } from '@langchain/core/messages'
import {
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import express from 'express'
import session from 'express-session'
import { Bot } from 'grammy'
import { Registry } from 'prom-client'
import { SessionRegistry } from 'session-registry'
import { agentSessionStore } from 'session-registry/claude-agent'
import { registryStore } from 'session-registry/express-session'
import { sessionTurns } from 'session-registry/grammy'
import { inspector, nodeHandler } from 'session-registry/inspector'
import { messageHistories } from 'session-registry/langchain'
import { instrument } from 'session-registry/opentelemetry'
import { collect } from 'session-registry/prometheus'
import { conversationStore } from 'session-registry/slack'

/** The entries for frameworks, with the frameworks, on a server of the runtime. */
const open = []
try {
  await visitsWithExpress()
  await chatsWithBots()
  await remembersMessages()
  await counts()
} finally {
  for (const close of open.reverse()) await close()
}
const { versions } = process
console.log(
  `runtime ${globalThis.Deno ? `Deno ${versions.deno}` : globalThis.Bun ? `Bun ${versions.bun}` : `Node ${versions.node}`}`,
)

function newRegistry(options) {
  const registry = new SessionRegistry(options)
  open.push(() => registry.close())
  return registry
}

async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => {
    server.closeAllConnections?.()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${server.address().port}`
}

/** A cart in express-session, and the page on it. */
async function visitsWithExpress() {
  const visitors = newRegistry({ name: 'visitors', tombstoneMs: 60_000 })
  const app = express()
  const isAdmin = ({ headers }) => headers.get('authorization') === 'admin'
  app.use('/admin/sessions', nodeHandler(inspector([visitors], { authorize: isAdmin })))
  app.use(
    session({ store: registryStore(visitors), secret: 'smoke', resave: false, saveUninitialized: false }),
  )
  app.post('/cart/:item', (request, response) => {
    request.session.cart = [...(request.session.cart ?? []), request.params.item]
    response.json(request.session.cart)
  })
  app.post('/leave', (request, response) => request.session.destroy(() => response.sendStatus(204)))
  const url = await listen(app)

  const first = await fetch(`${url}/cart/tea`, { method: 'POST' })
  assert.deepEqual(await first.json(), ['tea'])
  const headers = { cookie: first.headers.get('set-cookie').split(';')[0] }
  const second = await fetch(`${url}/cart/milk`, { method: 'POST', headers })
  assert.deepEqual(await second.json(), ['tea', 'milk'])
  assert.equal(visitors.size, 1)

  assert.equal((await fetch(`${url}/admin/sessions`)).status, 403)
  const page = await fetch(`${url}/admin/sessions`, { headers: { authorization: 'admin' } })
  assert.equal(page.status, 200)
  assert.match(await page.text(), /<!doctype html>/i)

  assert.equal((await fetch(`${url}/leave`, { method: 'POST', headers })).status, 204)
  assert.equal(visitors.size, 0)
}

/** Two updates of one chat at once, a conversation of Slack, and a transcript of an agent. */
async function chatsWithBots() {
  const chats = newRegistry({ create: () => ({}) })
  const bot = new Bot('1:none', {
    botInfo: { id: 1, is_bot: true, first_name: 'Bot', username: 'bot', can_join_groups: true },
  })
  const seen = []
  bot.use(sessionTurns(chats))
  bot.on('message:text', async ({ msg }) => {
    seen.push(`${msg.text} begins`)
    await new Promise((resolve) => setTimeout(resolve, 20))
    seen.push(`${msg.text} ends`)
  })
  const chat = { id: 7, type: 'private', first_name: 'Ada' }
  const update = (text) => ({ update_id: 1, message: { message_id: 1, date: 0, chat, from: chat, text } })
  await Promise.all(['one', 'two'].map((text) => bot.handleUpdate(update(text))))
  assert.deepEqual(seen, ['one begins', 'one ends', 'two begins', 'two ends'])

  const conversations = conversationStore(newRegistry({ create: () => ({}) }))
  await conversations.set('C1', { count: 1 })
  assert.deepEqual(await conversations.get('C1'), { count: 1 })

  const transcripts = agentSessionStore(newRegistry({}))
  const key = { projectKey: '-srv-app', sessionId: 'f3b1' }
  await transcripts.append(key, [{ type: 'user', uuid: 'u1', message: 'hello' }])
  assert.equal((await transcripts.load(key)).length, 1)
}

async function remembersMessages() {
  const histories = messageHistories(newRegistry({ create: () => [] }))
  await histories('ada').addMessages([new HumanMessage('hello')])
  assert.deepEqual(
    (await histories('ada').getMessages()).map(({ content }) => content),
    ['hello'],
  )
}

async function counts() {
  const registry = newRegistry({ name: 'counted', create: () => [] })
  const register = new Registry()
  open.push(collect(registry, { register }))
  const exporter = new InMemoryMetricExporter(1)
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] })
  open.push(() => meterProvider.shutdown(), instrument(registry, { meterProvider }))
  await registry.run('ada', ({ value }) => value.push('hello'))

  assert.match(await register.metrics(), /session_registry_turn_duration_seconds_count\{[^}]*\} 1/)
  await meterProvider.forceFlush()
  const names = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .map(({ descriptor }) => descriptor.name)
  assert.ok(names.includes('session_registry.turn.duration'), String(names))
}
