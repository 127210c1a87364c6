import type { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const conflict = sessionError('ERR_SESSION_STORE_CONFLICT')

/** A session in memory that another process has written or deleted since. */
async function changedElsewhere(
  how: 'written' | 'deleted',
  options: Parameters<typeof storedRegistry>[0] = {},
) {
  const all = storedRegistry({ timeoutMs: 1_000, ...options })
  await say(all.registry, 'ada', 'one')
  all.events.take()
  if (how === 'written') all.store.writeElsewhere({ value: ['one', 'elsewhere'] })
  else all.store.deleteElsewhere('ada')
  all.store.take()
  const left = how === 'written' ? ['one', 'elsewhere'] : undefined
  return { ...all, left }
}

const calls: Record<string, (registry: SessionRegistry<string[]>) => Promise<unknown>> = {
  run: (registry) => say(registry, 'ada', 'two'),
  'a stream that is read to its end': async (registry) => {
    const parts = registry.stream('ada', async function* ({ value }) {
      value.push('two')
      yield 1
    })
    for await (const _ of parts);
  },
  'a stream that is left': async (registry) => {
    const parts = registry.stream('ada', async function* ({ value }) {
      value.push('two')
      yield 1
      yield 2
    })
    for await (const _ of parts) break
  },
  'save(id)': async (registry) => {
    registry.get('ada')?.push('two')
    await registry.save('ada')
  },
}

describe.each(['written', 'deleted'] as const)('a session that was %s elsewhere', (how) => {
  it.each(Object.entries(calls))('%s: rejects, and nothing is overwritten', async (_, call) => {
    const { registry, store, events, errors, left } = await changedElsewhere(how)
    const error = await failureOf(() => call(registry))

    expect(error).toEqual(conflict)
    expect(error).toMatchObject({ statusCode: 409 })
    expect(store.value('ada')).toEqual(left)
    expect(events.take()).toEqual(['ended ada replaced'])
    expect(registry.has('ada')).toBe(false)
    // The caller knows.
    expect(errors).toEqual([])
  })

  it('the next `open` reads what is there', async () => {
    const { registry, left } = await changedElsewhere(how)
    await failureOf(() => say(registry, 'ada', 'two'))

    expect(await registry.open('ada', { create: false })).toEqual(left)
    await say(registry, 'ada', 'three')
    expect(registry.get('ada')).toEqual([...(left ?? []), 'three'])
  })

  it('turns that wait go on with what is there', async () => {
    const { registry, left } = await changedElsewhere(how)
    const first = observe(say(registry, 'ada', 'two'))
    const second = observe(registry.run('ada', ({ value }) => [...value]))
    await Promise.all([first.settled, second.settled])

    expect(first.error).toEqual(conflict)
    expect(second.value).toEqual(left ?? [])
  })

  it('a nested run: the run around it rejects too', async () => {
    const { registry, events } = await changedElsewhere(how)
    let inner: unknown
    const outer = await failureOf(() =>
      registry.run('ada', async ({ value }) => {
        value.push('two')
        inner = await failureOf(() => registry.save('ada'))
      }),
    )

    expect(inner).toEqual(conflict)
    expect(outer).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(events.take()).toEqual(['ended ada replaced'])
  })

  it('is not noticed by a turn that changes nothing', async () => {
    const { registry, store } = await changedElsewhere(how)

    expect(await registry.run('ada', ({ value }) => value.length)).toBe(1)
    expect(store.take()).toEqual([])
  })

  it('at its end: ends as replaced, with an `error` that has the session', async () => {
    const { registry, store, events, errors, clock, left } = await changedElsewhere(how)
    registry.get('ada')?.push('two')
    const session = registry.peek('ada')
    clock.advance(1_000)
    registry.sweep()
    await settle()

    expect(events.take()).toEqual(['ended ada replaced'])
    expect(errors).toEqual([conflict])
    expect(errors[0]).toMatchObject({ session })
    expect(session?.value).toEqual(['one', 'two'])
    expect(store.value('ada')).toEqual(left)
    expect(registry.stats()).toMatchObject({ archiving: 0, size: 0, expired: 0 })
    expect(await registry.open('ada', { create: false })).toEqual(left)
  })

  it('at `close`: is in `failed`, ends as replaced, once', async () => {
    const { registry, store, events, errors, left } = await changedElsewhere(how)
    registry.get('ada')?.push('two')
    const session = registry.peek('ada')
    const report = await registry.close()

    expect(report).toEqual({ ended: 1, archived: 0, failed: [session] })
    expect(report.failed[0]).toBe(session)
    expect(events.take()).toEqual(['ended ada replaced'])
    expect(errors).toEqual([conflict])
    expect(errors[0]).toMatchObject({ session })
    expect(store.value('ada')).toEqual(left)
  })

  it('at `close` without a change of its own: nothing is lost, so it is no conflict', async () => {
    const { registry, events, errors } = await changedElsewhere(how)
    const report = await registry.close()

    expect(report).toMatchObject({ ended: 1, failed: [] })
    expect(events.take()).toEqual(['ended ada closed'])
    expect(errors).toEqual([])
  })

  it('a turn that `close` waits for: its run rejects, and the session ends as replaced', async () => {
    const { registry, events } = await changedElsewhere(how)
    const run = observe(say(registry, 'ada', 'two'))
    const report = await registry.close()

    expect(run.error).toEqual(conflict)
    expect(events.take()).toEqual(['ended ada replaced'])
    expect(report).toMatchObject({ ended: 1, archived: 0 })
  })

  it('is not tried again', async () => {
    const { registry, store, clock } = await changedElsewhere(how)
    const run = observe(say(registry, 'ada', 'two'))
    await clock.advanceAsync(5_000)

    expect(run.error).toEqual(conflict)
    expect(store.take()).toEqual(['put ada', 'get ada'])
  })
})

describe('a session that was created elsewhere at the same time', () => {
  it('the second save rejects: one of the two histories was not seen', async () => {
    const one = storedRegistry()
    const other = registryOn(one.store, one.clock)
    await one.registry.open('ada')
    await other.registry.open('ada')
    await say(one.registry, 'ada', 'one')

    await expect(say(other.registry, 'ada', 'other')).rejects.toEqual(conflict)
    await say(other.registry, 'ada', 'other')
    expect(one.store.value('ada')).toEqual(['one', 'other'])
  })
})

describe('a store that does not compare', () => {
  it('last write wins, without an error', async () => {
    const { registry, store } = storedRegistry()
    const put = store.put.bind(store)
    store.put = (session, { signal }) => put(session, { signal, replaces: undefined })
    await say(registry, 'ada', 'one')
    store.writeElsewhere({ value: ['elsewhere'] })
    await say(registry, 'ada', 'two')

    expect(store.value('ada')).toEqual(['one', 'two'])
  })

  it('`false` where nothing was compared breaks the rules of a store', async () => {
    const { registry, store, clock } = storedRegistry()
    registry.set('ada', ['one'])
    for (let time = 0; time < 3; time += 1) store.returnNext('put', false)
    const saved = observe(registry.save('ada'))
    await clock.advanceAsync(1_500)

    expect(saved.error).toEqual(sessionError('ERR_SESSION_STORE_FAILED'))
    expect(registry.has('ada')).toBe(true)
  })
})
