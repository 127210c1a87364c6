import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import { Counter, Gauge, Histogram, register } from 'prom-client'
import { type SessionMessages, SessionRegistry, type SessionTraces } from 'session-registry'

const registry = 'chats'
export const sessions = new SessionRegistry<string[]>({ name: registry, create: () => [] })

new Gauge({
  name: 'session_registry_sessions',
  help: 'Sessions by state',
  labelNames: ['registry', 'state'],
  collect() {
    const { size, held, archiving, disposing } = sessions.stats()
    const states = { active: size - held, held, archiving, disposing }
    for (const [state, n] of Object.entries(states)) this.set({ registry, state }, n)
  },
})
new Gauge({
  name: 'session_registry_ready',
  help: '1 if the registry can serve a new session',
  labelNames: ['registry'],
  collect() {
    this.set({ registry }, Number(sessions.health().ready))
  },
})

const created = new Counter({
  name: 'session_registry_created_total',
  help: 'Sessions created, loaded ones included',
  labelNames: ['registry'],
})
const ended = new Counter({
  name: 'session_registry_ended_total',
  help: 'Sessions ended, by reason',
  labelNames: ['registry', 'reason'],
})
const turns = new Histogram({
  name: 'session_registry_turn_duration_seconds',
  help: 'Duration of turns, by outcome',
  labelNames: ['registry', 'outcome'],
  buckets: [0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_200], // a turn may take 20 minutes
})

// Series that begin at 0: otherwise `rate()` misses the first event of each.
created.inc({ registry }, 0)
for (const reason of ['idle', 'age', 'capacity', 'deleted', 'replaced', 'closed']) {
  ended.inc({ registry, reason }, 0)
}

subscribe('session-registry:created', (message) => {
  created.inc({ registry: (message as SessionMessages['created']).registry })
})
subscribe('session-registry:ended', (message) => {
  const { registry, reason } = message as SessionMessages['ended']
  ended.inc({ registry, reason })
})
// One object is the message of a turn from its start to its end.
const timers = new WeakMap<object, ReturnType<typeof turns.startTimer>>()
subscribe('tracing:session-registry:turn:start', (message) => {
  const turn = message as SessionTraces['turn']
  timers.set(turn, turns.startTimer({ registry: turn.registry }))
})
subscribe('tracing:session-registry:turn:asyncEnd', (message) => {
  const turn = message as SessionTraces['turn']
  timers.get(turn)?.({ outcome: 'error' in turn ? 'failed' : 'done' })
})

export const metrics = createServer((_request, response) => {
  response.setHeader('content-type', register.contentType)
  register.metrics().then(
    (text) => response.end(text),
    () => response.writeHead(500).end(), // a `collect` has thrown
  )
})
