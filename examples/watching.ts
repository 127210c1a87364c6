import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, subscribe } from 'node:diagnostics_channel'
import { type SessionMessages, SessionRegistry, type SessionTraces } from 'session-registry'

subscribe('session-registry:ended', (message) => {
  const { registry, reason } = message as SessionMessages['ended']
  console.log(`a session of ${registry} ended: ${reason}`)
})

// How long turns take. One object is the message of a turn from its start to its end.
const startedAt = new WeakMap<object, number>()
subscribe('tracing:session-registry:turn:start', (message) => {
  startedAt.set(message as SessionTraces['turn'], performance.now())
})
subscribe('tracing:session-registry:turn:asyncEnd', (message) => {
  const turn = message as SessionTraces['turn']
  const ms = performance.now() - (startedAt.get(turn) ?? Number.NaN)
  const outcome = 'error' in turn ? 'failed' : 'done'
  console.log(`${outcome} in ${Math.round(ms)} ms, after ${Math.round(turn.waitedMs)} ms in the queue`)
})

// What is bound to `start` is there in all that the turn does.
const currentTurn = new AsyncLocalStorage<SessionTraces['turn']>()
channel('tracing:session-registry:turn:start').bindStore(currentTurn, (turn) => turn as SessionTraces['turn'])

const sessions = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })

async function answer(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 50))
  console.log(`asks the model for ${currentTurn.getStore()?.ref === sessions.ref('ada') ? 'Ada' : 'no one'}`)
  return 'hello'
}

await sessions.run('ada', async ({ value }) => value.push(await answer()))
await sessions.run('ada', () => Promise.reject(new Error('the model is away'))).catch(() => {})
sessions.delete('ada')
