const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { channel, tracingChannel } = require('node:diagnostics_channel')
const { once } = require('node:events')
const { setTimeout: wait } = require('node:timers/promises')

/**
 * Uses the registry with real, short times. The process must then exit by itself, with a live session left.
 */
exports.smoke = async ({ SessionRegistry, isSessionRegistryError }, { ManualClock }) => {
  const emitted = []
  // Longer than a busy machine takes between two lines, pino's import included.
  const registry = new SessionRegistry({ timeoutMs: 1_000, intervalMs: 50, create: () => [], logger: true })
  for (const event of ['created', 'expired', 'ended']) {
    registry.on(event, (session, reason) =>
      emitted.push([event, session.id, reason].filter(Boolean).join(' ')),
    )
  }

  registry.getOrCreate('ada').push('hello')
  assert.deepEqual(registry.get('ada'), ['hello'])
  const keepAlive = setInterval(() => {}, 1_000)
  await once(registry, 'swept')
  assert.equal(registry.size, 0)
  assert.deepEqual(emitted, ['created ada', 'expired ada idle', 'ended ada idle'])

  // A turn outlasts the timeout, a second one waits for it, a nested one joins.
  const patient = new SessionRegistry({ timeoutMs: 200, intervalMs: 20, maxTurnMs: 10_000, create: () => [] })
  await Promise.all([
    patient.run('bob', async (session) => {
      session.value.push('first')
      await wait(400)
      await patient.run('bob', async (same) => same.value.push('nested'))
    }),
    patient
      .run('bob', async (session) => session.value.push('second'))
      .then(() => {
        assert.deepEqual(patient.get('bob'), ['first', 'nested', 'second'])
      }),
  ])

  const store = new Map()
  const archiving = new SessionRegistry({
    create: () => [],
    archive: async (session) => void store.set(session.id, [...session.value]),
    load: async (id) => store.get(id),
  })
  await archiving.run('cy', async (session) => session.value.push('kept'))
  const { ended, archived, failed } = await archiving.close()
  assert.deepEqual({ ended, archived, failed: failed.length }, { ended: 1, archived: 1, failed: 0 })
  assert.deepEqual(store.get('cy'), ['kept'])

  assert.throws(
    () => new SessionRegistry({ timeoutMs: -5 }),
    (error) => isSessionRegistryError(error, 'ERR_SESSION_OPTION_INVALID'),
  )

  const clock = new ManualClock()
  const later = new SessionRegistry({ clock, create: () => 0 })
  later.getOrCreate('dee')
  clock.advance(20 * 60_000)
  assert.equal(later.size, 0)

  await publishes(SessionRegistry)

  clearInterval(keepAlive)
  new SessionRegistry({ create: () => [] }).getOrCreate('left behind')
  const { versions } = process
  console.log(
    `runtime ${globalThis.Deno ? `Deno ${versions.deno}` : globalThis.Bun ? `Bun ${versions.bun}` : `Node ${versions.node}`}`,
  )
}

/** The channels, in the order that Node documents, on a runtime that may have another `TracingChannel`. */
async function publishes(SessionRegistry) {
  const published = []
  const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
  const current = new AsyncLocalStorage()
  const record = (part, of) => published.push([`${part} in ${current.getStore()}`, of])
  const subscribers = Object.fromEntries(parts.map((part) => [part, (turn) => record(part, turn.ref)]))
  const turns = tracingChannel('session-registry:turn')
  const registry = new SessionRegistry({ name: 'published', create: () => [] })
  const ref = registry.ref('ada')
  const take = () =>
    published.splice(0).map(([part, of]) => {
      assert.equal(of, ref)
      return part
    })
  const onEvent = ({ registry: name, ref: of, reason = 'created' }) => {
    // The other registries publish as well.
    if (name === 'published') record(reason, of)
  }

  registry.getOrCreate('ben')
  for (const event of ['created', 'ended']) channel(`session-registry:${event}`).subscribe(onEvent)
  turns.subscribe(subscribers)
  channel('tracing:session-registry:turn:start').bindStore(current, (turn) => turn.whenBusy)
  await registry.run('ada', async () => {
    await wait(1)
    assert.equal(current.getStore(), 'wait')
  })
  assert.equal(current.getStore(), undefined)
  const within = (...names) => names.map((part) => `${part} in wait`)
  assert.deepEqual(take(), ['created in undefined', ...within('start', 'end', 'asyncStart', 'asyncEnd')])
  await assert.rejects(registry.run('ada', () => Promise.reject(new Error('the model is away'))))
  assert.deepEqual(take(), within('start', 'end', 'error', 'asyncStart', 'asyncEnd'))
  registry.delete('ada')
  assert.deepEqual(take(), ['deleted in undefined'])

  turns.unsubscribe(subscribers)
  channel('tracing:session-registry:turn:start').unbindStore(current)
  for (const event of ['created', 'ended']) channel(`session-registry:${event}`).unsubscribe(onEvent)
  await registry.run('cy', () => {})
  assert.deepEqual(take(), [])
}
