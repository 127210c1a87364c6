import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { SlowClock } from '../../support/slow-clock.ts'

const count = 400

/** Returns a registry with many sessions, on a clock that is slow from then on. */
function crowded(options: SessionRegistryOptions<string[]> = {}) {
  const clock = new SlowClock()
  const registry = new SessionRegistry<string[]>({ clock, create: () => [], ...options })
  for (let index = 0; index < count; index += 1) registry.set(String(index), [])
  const ended: string[] = []
  registry.on('ended', ({ id }, reason) => ended.push(`${id} ${reason}`))
  clock.msPerLook = 0.5
  return { clock, registry, ended }
}

const loopTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

// One million sessions blocked the event loop for 1.9 s.
describe('close of many sessions', () => {
  it('yields to the event loop every few milliseconds, and ends each session once', async () => {
    const { registry, ended } = crowded()
    let turns = 0
    let isClosed = false
    const closing = registry.close().then((report) => {
      isClosed = true
      return report
    })
    expect(ended.length).toBeGreaterThan(0)
    expect(ended.length).toBeLessThan(20)
    while (!isClosed) {
      await loopTurn()
      turns += 1
    }

    // Eight readings of the clock use up a slice.
    expect(turns).toBeGreaterThan(count / 8 / 2)
    expect(await closing).toEqual({ ended: count, archived: 0, failed: [] })
    expect(ended).toEqual(Array.from({ length: count }, (_, index) => `${index} closed`))
  })

  it('a few sessions: ends them before the call returns', () => {
    // On the clock of the host, a busy machine may use up a slice in between.
    const { registry } = clockedRegistry()
    for (let index = 0; index < 10; index += 1) registry.set(String(index), [])
    void registry.close()

    expect(registry.size).toBe(0)
  })

  it('between two slices: reads find what has not ended yet, and nothing new is accepted', async () => {
    const { registry } = crowded()
    const closing = registry.close()

    expect(registry.get(String(count - 1))).toEqual([])
    expect(registry.delete(String(count - 1))).toBe(true)
    expect(() => registry.set('new', [])).toThrow('closed')
    expect(registry.hold(String(count - 2))).toBeUndefined()
    expect(await closing).toMatchObject({ ended: count })
  })

  it('a listener that assigns a timeout to a session about to end keeps nothing alive', async () => {
    const { registry, ended } = crowded()
    registry.once('ended', () => {
      for (const session of registry.sessions()) session.timeoutMs = 5_000_000
    })

    expect(await registry.close()).toMatchObject({ ended: count })
    expect(ended).toHaveLength(count)
  })

  it('a turn that ends between two slices: its session ends at once', async () => {
    const { registry, ended } = crowded()
    const turn = beginTurn(registry, '300')
    const closing = registry.close()
    turn.end.resolve('done')
    await turn.run.settled
    expect(ended).toContain('300 closed')
    expect(registry.size).toBeGreaterThan(0)
    await closing

    expect(ended).toHaveLength(count)
  })

  it('a clock that fails meanwhile: ends them all the same', async () => {
    const clock = new SlowClock()
    const now = clock.now.bind(clock)
    let fails = false
    clock.now = () => {
      if (fails) throw new Error('the clock is broken')
      return now()
    }
    const registry = new SessionRegistry<string[]>({ clock, create: () => [] })
    registry.on('error', () => {})
    for (let index = 0; index < count; index += 1) registry.set(String(index), [])
    fails = true
    const report = await registry.close()

    expect(report).toMatchObject({ ended: count })
  })

  it('archives every session', async () => {
    const archived: string[] = []
    const { registry } = crowded({
      archive: async ({ id }) => {
        archived.push(id)
      },
    })

    expect(await registry.close()).toEqual({ ended: count, archived: count, failed: [] })
    expect(archived.toSorted()).toEqual(Array.from({ length: count }, (_, index) => String(index)).toSorted())
  })
})
