import { AsyncLocalStorage } from 'node:async_hooks'
import type { SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { FaultStore } from '../../support/fault-store.ts'
import { settle } from '../../support/settle.ts'
import { registryOn, type StoredRegistry, say } from '../../support/stored-registry.ts'

const visitor = new AsyncLocalStorage<string>()
const day = 86_400_000

/** A registry that was made in the context `constructor`, and which of its calls ran in which context. */
function observed(options: Omit<SessionRegistryOptions<string[]>, 'store' | 'clock'> = {}) {
  const ran: string[] = []
  class ObservedStore extends FaultStore {
    override take(): string[] {
      return ran.splice(0)
    }
  }
  const store = new ObservedStore()
  for (const method of ['get', 'put', 'delete', 'prune', 'close'] as const) {
    const call = store[method].bind(store) as (...args: unknown[]) => Promise<never>
    store[method] = (...args: unknown[]) => {
      ran.push(`${method} in ${visitor.getStore()}`)
      return call(...args)
    }
  }
  const clock = new ManualClock()
  const all: StoredRegistry = visitor.run('constructor', () => registryOn(store, clock, options))
  return { ...all, ran }
}

describe('the async context of calls to a store', () => {
  it('a read runs in that of the call; a save in the constructor’s, in each of its tries', async () => {
    const { registry, store, clock, ran } = observed()
    store.failNext('put', 2)
    const run = visitor.run('ada', () => say(registry, 'ada', 'one'))
    await visitor.run('clock', () => clock.advanceAsync(1_500))
    await run

    expect(ran).toEqual(['get in ada', 'put in constructor', 'put in constructor', 'put in constructor'])
  })

  it('`save`, `delete` and `forget` write in the constructor’s', async () => {
    const { registry, store, clock, ran } = observed()
    registry.set('ada', ['one'])
    await visitor.run('ada', () => registry.save('ada'))
    store.failNext('delete')
    visitor.run('ada', () => registry.delete('ada'))
    await visitor.run('clock', () => clock.advanceAsync(1_000))
    await visitor.run('ada', () => registry.forget('bob'))

    expect(ran).toEqual([
      'put in constructor',
      'delete in constructor',
      'delete in constructor',
      'delete in constructor',
    ])
  })

  it('a deletion that another visitor hurries', async () => {
    const { registry, store, clock, ran } = observed()
    store.failNext('delete', 5)
    visitor.run('ada', () => registry.delete('ada'))
    await clock.advanceAsync(2_000)
    ran.length = 0
    const opened = visitor.run('bob', () => registry.open('ada'))
    await visitor.run('clock', () => clock.advanceAsync(2_000))
    await opened

    expect(ran.slice(0, -1)).toEqual(ran.slice(0, -1).map(() => 'delete in constructor'))
    expect(ran.at(-1)).toBe('get in bob')
  })

  it('ends by time and by capacity, and `close`', async () => {
    const { registry, clock, ran } = observed({ timeoutMs: 1_000, maxSessions: 2 })
    registry.set('ada', ['one'])
    visitor.run('clock', () => clock.advance(500))
    registry.set('bob', ['one'])
    await visitor.run('eve', () => registry.open('eve'))
    expect(ran.splice(0)).toEqual(['get in eve', 'put in constructor'])
    visitor.run('clock', () => clock.advance(1_000))
    visitor.run('sweeper', () => registry.sweep())
    await settle()
    expect(ran.splice(0)).toEqual(['put in constructor', 'put in constructor'])
    await visitor.run('closer', () => registry.close())

    expect(ran).toEqual(['close in constructor'])
  })

  it('pruning', async () => {
    const { registry, clock, ran } = observed({ keepMs: 2 * day, timeoutMs: day, intervalMs: 1_000 })
    registry.set('ada', [])
    await visitor.run('clock', () => clock.advanceAsync(1_000))

    expect(ran).toEqual(['prune in constructor'])
  })

  it('the signal of a write aborts in the constructor’s context', async () => {
    const { registry, store, ran } = observed()
    const put = store.gateNext('put')
    const run = say(registry, 'ada', 'one').catch(() => {})
    await put.begun
    put.signal?.addEventListener('abort', () => ran.push(`abort in ${visitor.getStore()}`))
    visitor.run('ada', () => registry.delete('ada'))
    put.end.resolve()
    await run
    await registry.settled()

    expect(ran.slice(2)).toEqual(['abort in constructor', 'delete in constructor'])
  })

  it('a turn after a save runs in the context of its own caller', async () => {
    const { registry } = observed()
    const seen: unknown[] = []
    const speak = () =>
      registry.run('a', ({ value }) => {
        value.push('a message')
        seen.push(visitor.getStore())
      })
    await Promise.all([visitor.run('ada', speak), visitor.run('bob', speak)])

    expect(seen).toEqual(['ada', 'bob'])
  })
})
