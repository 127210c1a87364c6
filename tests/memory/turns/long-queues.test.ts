import { getEventListeners } from 'node:events'
import process from 'node:process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { settle } from '../../support/settle.ts'

const unbounded = { maxWaiting: Number.POSITIVE_INFINITY }

/** Process warnings while the test runs, by their names. */
function warnings(): string[] {
  const names: string[] = []
  const listener = ({ name }: Error) => names.push(name)
  process.on('warning', listener)
  onTestFinished(() => void process.off('warning', listener))
  return names
}

describe('a queue of 30 000 turns', () => {
  const count = 30_000

  // Quadratic, each of these took ten seconds and more.
  it.each(['first to last', 'last to first'] as const)(
    'aborts one by one in linear time, %s',
    async (order) => {
      const { registry } = clockedRegistry(unbounded)
      const gate = deferred()
      const running = registry.run('a', () => gate.promise)
      const controllers = Array.from({ length: count }, () => new AbortController())
      const runs = controllers.map(({ signal }) => registry.run('a', () => {}, { signal }).catch(() => {}))
      expect(registry.stats().waiting).toBe(count)
      if (order === 'last to first') controllers.reverse()
      const startedAt = performance.now()
      for (const controller of controllers) controller.abort()

      expect(performance.now() - startedAt).toBeLessThan(3_000)
      await Promise.all(runs)
      expect(registry.stats().waiting).toBe(0)
      gate.resolve()
      await running
    },
    30_000,
  )

  it('aborts by one signal in linear time', async () => {
    const { registry } = clockedRegistry(unbounded)
    const gate = deferred()
    const running = registry.run('a', () => gate.promise)
    const controller = new AbortController()
    const { signal } = controller
    const runs = Array.from({ length: count }, () => observe(registry.run('a', () => {}, { signal })))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    const startedAt = performance.now()
    controller.abort('gone')

    expect(performance.now() - startedAt).toBeLessThan(3_000)
    await settle()
    expect(runs.every(({ error }) => error === 'gone')).toBe(true)
    gate.resolve()
    await running
  }, 30_000)

  it('runs in linear time, in order', async () => {
    const { registry } = clockedRegistry(unbounded)
    const order: number[] = []
    const { signal } = new AbortController()
    const startedAt = performance.now()
    await Promise.all(
      Array.from({ length: count }, (_, index) =>
        registry.run('a', () => void order.push(index), index % 2 === 0 ? { signal } : {}),
      ),
    )

    expect(performance.now() - startedAt).toBeLessThan(6_000)
    expect(order).toEqual(Array.from({ length: count }, (_, index) => index))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  }, 30_000)
})

describe('Node’s warning about leaking listeners', () => {
  it('is not emitted for runs and opens on one signal', async () => {
    const names = warnings()
    const loaded = deferred<string[]>()
    const { registry } = clockedRegistry({ load: () => loaded.promise })
    const { signal } = new AbortController()
    const calls: Promise<unknown>[] = []
    for (let index = 0; index < 15; index += 1) {
      calls.push(
        registry.run(`id ${index}`, () => {}, { signal }),
        registry.open('a', { signal }),
      )
    }
    loaded.resolve([])
    await Promise.all(calls)
    await settle()

    expect(names).toEqual([])
  })

  it('is not emitted for runs nested in one turn, nor for the turn’s own listeners', async () => {
    const names = warnings()
    const { registry } = clockedRegistry()
    await registry.run('a', async (_session, signal) => {
      const nested = Array.from({ length: 15 }, () => registry.run('a', settle))
      for (let index = 0; index < 15; index += 1) signal.addEventListener('abort', () => {})
      await Promise.all(nested)
    })
    await settle()

    expect(names).toEqual([])
  })

  it('is not emitted for a stream', async () => {
    const names = warnings()
    const { registry } = clockedRegistry()
    for await (const signal of registry.stream('a', async function* (_session, own) {
      yield own
    })) {
      for (let index = 0; index < 15; index += 1) signal.addEventListener('abort', () => {})
    }
    await settle()

    expect(names).toEqual([])
  })
})
