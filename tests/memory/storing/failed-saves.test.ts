import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'

const failed = sessionError('ERR_SESSION_STORE_FAILED')

describe('a save that fails', () => {
  it('is tried three times within about a second, then rejects with the cause', async () => {
    const { registry, store, clock } = storedRegistry()
    store.failNext('put', 3)
    const startedAt = clock.now()
    const run = observe(say(registry, 'ada', 'one'))
    await settle()
    const triedAt: number[] = []
    while (run.state === 'pending') {
      if (store.puts.length > triedAt.length) triedAt.push(clock.now() - startedAt)
      await clock.advanceAsync(10)
    }

    expect(run.error).toEqual(failed)
    expect(run.error).toMatchObject({ cause: store.failure, statusCode: 503 })
    expect(store.take()).toEqual(['get ada', 'put ada', 'put ada', 'put ada'])
    expect(triedAt[0]).toBe(0)
    expect(clock.now() - startedAt).toBeGreaterThan(500)
    expect(clock.now() - startedAt).toBeLessThan(1_500)
  })

  it('resolves the run if a later try succeeds, under the same revision', async () => {
    const { registry, store, clock, errors } = storedRegistry()
    store.failNext('put', 2)
    const run = observe(say(registry, 'ada', 'one'))
    await clock.advanceAsync(1_500)

    expect(run.state).toBe('fulfilled')
    expect(store.value('ada')).toEqual(['one'])
    expect(new Set(store.puts.map(({ session }) => session.revision)).size).toBe(1)
    expect(errors).toEqual([])
  })

  it('makes the next turn wait until the last try', async () => {
    const { registry, store, clock } = storedRegistry()
    store.failNext('put', 3)
    const first = observe(say(registry, 'ada', 'one'))
    const second = observe(registry.run('ada', ({ value }) => [first.state, ...value]))
    await settle()
    await clock.advanceAsync(400)
    expect(second.state).toBe('pending')
    await clock.advanceAsync(1_100)

    // Its turn began when the first one had settled; what that one changed is still there.
    expect(second.value?.slice(1)).toEqual(['one'])
    expect(first.error).toEqual(failed)
  })

  it('leaves the session alive with its new value, without an event', async () => {
    const { registry, store, clock, events, errors } = storedRegistry()
    store.failNext('put', 3)
    const run = observe(say(registry, 'ada', 'one'))
    await clock.advanceAsync(1_500)

    expect(run.error).toEqual(failed)
    expect(registry.get('ada')).toEqual(['one'])
    expect(events.take()).toEqual(['created ada'])
    expect(errors).toEqual([])
  })

  it.each(['before', 'after'] as const)(
    'failed %s its effect: written with the next turn, though that changes nothing',
    async (when) => {
      const { registry, store, clock } = storedRegistry()
      if (when === 'before') store.failNext('put', 3)
      else store.failAfterEffect('put', 3)
      const run = observe(say(registry, 'ada', 'one'))
      await clock.advanceAsync(1_500)
      expect(run.error).toEqual(failed)
      store.take()
      await registry.run('ada', ({ value }) => value.length)

      expect(store.take()).toContain('put ada')
      expect(store.value('ada')).toEqual(['one'])
      await registry.run('ada', ({ value }) => value.length)
      expect(store.take()).toEqual([])
    },
  )

  it('is written back where the value is again what it was before', async () => {
    const { registry, store, clock } = storedRegistry()
    await say(registry, 'ada', 'one')
    store.failAfterEffect('put', 3)
    const run = observe(say(registry, 'ada', 'two'))
    await clock.advanceAsync(1_500)
    expect(run.error).toEqual(failed)
    expect(store.value('ada')).toEqual(['one', 'two'])
    await registry.run('ada', ({ value }) => value.pop())

    expect(store.value('ada')).toEqual(['one'])
  })

  it('is written by `save`', async () => {
    const { registry, store, clock } = storedRegistry()
    store.failNext('put', 3)
    const run = observe(say(registry, 'ada', 'one'))
    await clock.advanceAsync(1_500)

    expect(run.error).toEqual(failed)
    expect(await registry.save('ada')).toBe(true)
    expect(store.value('ada')).toEqual(['one'])
  })

  it('is written at the end', async () => {
    const { registry, store, clock, events } = storedRegistry({ timeoutMs: 10_000 })
    store.failNext('put', 3)
    const run = observe(say(registry, 'ada', 'one'))
    await clock.advanceAsync(1_500)
    expect(run.error).toEqual(failed)
    clock.advance(10_000)
    registry.sweep()
    await settle()

    expect(events.take()).toEqual(['created ada', 'expired ada idle', 'ended ada idle'])
    expect(store.value('ada')).toEqual(['one'])
  })

  it('does not count towards `maxTurnMs`', async () => {
    const { registry, store, clock } = storedRegistry({ maxTurnMs: 1_000, turnGraceMs: 0 })
    const put = store.gateNext('put')
    const run = observe(say(registry, 'ada', 'one'))
    await put.begun
    await clock.advanceAsync(5_000)
    expect(run.state).toBe('pending')
    put.end.resolve()
    await run.settled

    expect(run.state).toBe('fulfilled')
    expect(registry.stats().turnTimeouts).toBe(0)
  })

  it('is not ended by its caller’s signal: the turn itself has succeeded', async () => {
    const { registry, store } = storedRegistry()
    const put = store.gateNext('put')
    const { signal, abort } = abortable()
    const run = observe(registry.run('ada', ({ value }) => value.push('one'), { signal }))
    await put.begun
    abort()
    await settle()
    expect(run.state).toBe('pending')
    put.end.resolve()
    await run.settled

    expect(run.value).toBe(1)
  })
})

describe('a put that returns neither `true` nor `false`', () => {
  it.each([undefined, null, 1, 'OK', {}])('%j: is a failure', async (result) => {
    const { registry, store, clock } = storedRegistry()
    for (let time = 0; time < 3; time += 1) store.returnNext('put', result)
    const run = observe(say(registry, 'ada', 'one'))
    await clock.advanceAsync(1_500)

    expect(run.error).toEqual(failed)
    expect((run.error as Error).cause).toEqual(failed)
    expect(((run.error as Error).cause as Error).message).toMatch(/`put`.*a boolean/)
    await registry.close()
    expect(store.value('ada')).toEqual(['one'])
  })
})

describe('a codec that fails', () => {
  const invalid = sessionError('ERR_SESSION_VALUE_INVALID')

  it('encode: rejects the run at once, and writes nothing; the session lives on', async () => {
    const { store, clock } = storedRegistry()
    const registry = new SessionRegistry<{ made: Date | string }>({
      clock,
      store,
      create: () => ({ made: '' }),
    })
    const run = registry.run('ada', ({ value }) => {
      value.made = new Date(0)
    })

    expect(await failureOf(() => run)).toEqual(invalid)
    expect(store.take()).toEqual(['get ada'])
    expect(registry.has('ada')).toBe(true)
    await registry.run('ada', ({ value }) => {
      value.made = 'today'
    })
    expect(store.value('ada')).toEqual({ made: 'today' })
  })

  it('decode: rejects `open`, creates nothing, and leaves what is stored', async () => {
    const { registry, store, events } = storedRegistry()
    const stored = { ...store.writeElsewhere({ value: [] }) }
    Object.assign(store.session('ada') ?? {}, {
      text: '{"half',
      createdAt: Date.now(),
      lastActiveAt: Date.now(),
    })

    await expect(registry.open('ada')).rejects.toEqual(invalid)
    await expect(say(registry, 'ada', 'one')).rejects.toEqual(invalid)
    await expect(registry.open('ada', { create: false })).rejects.toEqual(invalid)
    expect(events.take()).toEqual([])
    expect(store.session('ada')).toMatchObject({ text: '{"half', revision: stored.revision })
  })

  it('at the end: the session is handed back with its value, since it could not be written', async () => {
    const { store, clock } = storedRegistry()
    const registry = new SessionRegistry<unknown>({ clock, store, timeoutMs: 1_000, archiveAttempts: 1 })
    const errors: unknown[] = []
    registry.on('error', (error) => errors.push(error))
    const value = new Map([['a', 1]])
    registry.set('ada', value)
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect(errors).toEqual([sessionError('ERR_SESSION_ARCHIVE_FAILED')])
    expect((errors[0] as Error).cause).toEqual(invalid)
    expect(registry.get('ada')).toBe(value)
  })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort(new Error('the visitor left')) }
}
