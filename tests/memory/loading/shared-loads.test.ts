import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { cpuMs } from '../../support/cpu-time.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

// Nine of ten page reloads failed: the new request was rejected with the abort reason of the old one.
describe('shared work without a waiting call', () => {
  it.each(['open', 'run'] as const)('load: a %s in the same step loads again', async (how) => {
    const store = new ManualLoad()
    const { registry } = clockedRegistry({ load: store.load })
    const controller = new AbortController()
    const first = observe(registry.run('a', () => {}, { signal: controller.signal }))
    controller.abort(new Error('the page was reloaded'))
    const second = how === 'open' ? registry.open('a') : registry.run('a', (session) => session.value)
    store.at(0).reject(store.at(0).signal.reason)
    await settle()
    store.at(1).resolve(['loaded'])

    expect(await second).toEqual(['loaded'])
    await first.settled
    expect(first.error).toMatchObject({ message: 'the page was reloaded' })
    expect(store.calls).toHaveLength(2)
  })

  it.each(['before', 'after'])(
    'load: so does a call made by a listener of the same signal, %s',
    async (when) => {
      const store = new ManualLoad()
      const { registry } = clockedRegistry({ load: store.load })
      const { signal, ...controller } = abortable()
      let again: Promise<string[]> | undefined
      const openAgain = () => {
        again = registry.open('a')
      }
      if (when === 'before') signal.addEventListener('abort', openAgain)
      const first = observe(registry.run('a', () => {}, { signal }))
      if (when === 'after') signal.addEventListener('abort', openAgain)
      controller.abort('gone')
      for (const { signal: loading, reject } of store.calls) if (loading.aborted) reject(loading.reason)
      await first.settled
      store.calls.at(-1)?.resolve(['loaded'])

      expect(await again).toEqual(['loaded'])
      expect(first.error).toBe('gone')
    },
  )

  it('load: a late result of its hook is not used for the new one', async () => {
    const store = new ManualLoad()
    const { registry } = clockedRegistry({ load: store.load })
    const controller = new AbortController()
    observe(registry.open('a', { signal: controller.signal }))
    controller.abort('gone')
    const again = observe(registry.open('a'))
    store.at(0).resolve(['of the first'])
    await settle()
    expect(again.state).toBe('pending')
    store.at(1).resolve(['of the second'])
    await again.settled

    expect(again.value).toEqual(['of the second'])
  })

  it('wait for an archive: the next call waits for the same archive, and returns the session', async () => {
    const store = new FakeArchive('manual')
    const { registry, clock } = clockedRegistry({
      timeoutMs: 1_000,
      intervalMs: 1_000_000,
      archive: store.archive,
      load: store.load,
    })
    await registry.run('a', ({ value }) => value.push('hello'))
    clock.advance(1_000)
    const controller = new AbortController()
    const first = observe(registry.run('a', () => {}, { signal: controller.signal }))
    controller.abort('gone')
    const second = observe(registry.run('a', (session) => [...session.value]))
    store.last.succeed()
    await Promise.all([first.settled, second.settled])

    expect(first.error).toBe('gone')
    expect(second.value).toEqual(['hello'])
    expect(store.calls).toHaveLength(1)
  })

  it('wait for capacity: the next call waits on its own', async () => {
    const store = new FakeArchive('manual')
    const { registry } = clockedRegistry({ maxSessions: 1, archive: store.archive })
    registry.getOrCreate('first')
    const controller = new AbortController()
    const first = observe(registry.run('a', () => {}, { signal: controller.signal }))
    controller.abort('gone')
    const second = observe(registry.run('a', (session) => session.value))
    store.last.succeed()
    await Promise.all([first.settled, second.settled])

    expect(first.error).toBe('gone')
    expect(second.value).toEqual([])
  })
})

describe('calls that wait together', () => {
  it('a factory of one call that throws rejects that call alone', async () => {
    const store = new ManualLoad()
    const { registry, events } = clockedRegistry({ load: store.load, create: () => ['of the registry'] })
    const error = new Error('no value today')
    const failing = () => {
      throw error
    }
    const opens = [
      observe(registry.open('a', { create: failing })),
      observe(registry.run('a', (session) => session.value)),
      observe(registry.open('a', { create: () => ['of the call'] })),
    ]
    store.at(0).resolve(undefined)
    await Promise.all(opens.map(({ settled }) => settled))

    expect(opens[0]?.error).toBe(error)
    expect(opens.slice(1).map(({ value }) => value)).toEqual([['of the registry'], ['of the registry']])
    expect(events.take()).toEqual(['created a'])
  })

  it('the registry’s factory that throws rejects the calls without a factory of their own', async () => {
    const store = new ManualLoad()
    const error = new Error('no value today')
    const { registry } = clockedRegistry({
      load: store.load,
      create: () => {
        throw error
      },
    })
    const opens = [
      observe(registry.open('a')),
      observe(registry.open('a', { create: () => ['of the call'] })),
      observe(registry.open('a')),
    ]
    store.at(0).resolve(undefined)
    await Promise.all(opens.map(({ settled }) => settled))

    expect(opens.map(({ error: failure }) => failure)).toEqual([error, undefined, error])
    expect(opens[1]?.value).toEqual(['of the call'])
  })

  it('each of 20 000 calls with a throwing factory rejects with its own error', async () => {
    const store = new ManualLoad()
    const { registry } = clockedRegistry({ load: store.load, create: undefined })
    const opens = Array.from({ length: 20_000 }, (_, index) =>
      observe(
        registry.open('a', {
          create: () => {
            throw index
          },
        }),
      ),
    )
    const without = observe(registry.open('a'))
    store.at(0).resolve(undefined)
    await settle()

    expect(opens.every(({ error }, index) => error === index)).toBe(true)
    expect(without.error).toEqual(sessionError('ERR_SESSION_NO_FACTORY'))
  })

  // A linear search in an array for each of them: 40 000 took tens of seconds.
  it('100 000 calls of one id: aborting them costs no more per call than a few do', async () => {
    const { registry } = clockedRegistry({ load: () => new Promise(() => {}) })
    const { signal, abort } = abortable()
    const opens = Array.from({ length: 100_000 }, () => observe(registry.open('a', { signal })))

    expect(cpuMs(() => abort('gone'))).toBeLessThan(2_000)
    await settle()
    expect(opens.every(({ error }) => error === 'gone')).toBe(true)
  }, 30_000)

  it('100 000 ids that wait for capacity: aborting them costs no more per call than a few do', async () => {
    const { registry } = clockedRegistry({ maxSessions: 1, archive: () => new Promise(() => {}) })
    registry.getOrCreate('first')
    const { signal, abort } = abortable()
    const opens = Array.from({ length: 100_000 }, (_, index) =>
      observe(registry.open(`id-${index}`, { signal })),
    )

    expect(cpuMs(() => abort('gone'))).toBeLessThan(2_000)
    await settle()
    expect(opens.every(({ error }) => error === 'gone')).toBe(true)
  }, 30_000)
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: (reason: unknown) => controller.abort(reason) }
}
