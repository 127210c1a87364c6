import { AsyncLocalStorage } from 'node:async_hooks'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { settle } from '../support/settle.ts'

const visitor = new AsyncLocalStorage<string>()

/** A registry that was made in the context `constructor`, and what ran in which context. */
function observed(options: SessionRegistryOptions<string[]> = {}) {
  const clock = new ManualClock()
  const ran: string[] = []
  const note = (what: string) => ran.push(`${what} in ${visitor.getStore()}`)
  const registry = visitor.run(
    'constructor',
    () => new SessionRegistry<string[]>({ clock, create: () => [], ...options }),
  )
  registry.on('created', ({ id }) => note(`created ${id}`))
  registry.on('expired', ({ id }) => note(`expired ${id}`))
  registry.on('ended', ({ id }, reason) => note(`ended ${id} ${reason}`))
  registry.on('swept', () => note('swept'))
  registry.on('error', () => note('error'))
  return { clock, registry, ran, note }
}

describe('the async context of background work', () => {
  it('background sweep: events run in the constructor’s context, not in that of the call that armed the timer', () => {
    const { clock, registry, ran } = observed({ timeoutMs: 1_000, intervalMs: 1_000 })
    visitor.run('ada', () => registry.getOrCreate('a'))
    visitor.run('ben', () => registry.getOrCreate('b'))
    ran.length = 0
    visitor.run('cleo', () => clock.advance(2_000))

    expect(ran).toEqual([
      'expired a in constructor',
      'ended a idle in constructor',
      'expired b in constructor',
      'ended b idle in constructor',
      'swept in constructor',
    ])
  })

  it('background sweep: the same holds on the host’s timers', async () => {
    const ran: (string | undefined)[] = []
    const registry = visitor.run(
      'constructor',
      () => new SessionRegistry<string[]>({ timeoutMs: 5, intervalMs: 5 }),
    )
    const ended = new Promise<void>((resolve) => {
      registry.on('ended', () => {
        ran.push(visitor.getStore())
        resolve()
      })
    })
    visitor.run('ada', () => registry.set('a', []))
    await ended

    expect(ran).toEqual(['constructor'])
  })

  it('background sweep: a context entered by one listener does not leak into the rest', () => {
    const { clock, registry, ran } = observed({ timeoutMs: 1_000, intervalMs: 1_000 })
    registry.once('ended', () => visitor.enterWith('a listener'))
    registry.set('a', [])
    clock.advance(1_000)
    registry.set('b', [])
    clock.advance(1_000)

    expect(ran.filter((line) => line.startsWith('ended'))).toEqual([
      'ended a idle in constructor',
      'ended b idle in constructor',
    ])
  })

  it('sweep(): events run in the constructor’s context, not in the caller’s', () => {
    const { clock, registry, ran } = observed({ timeoutMs: 1_000, intervalMs: 1_000_000 })
    visitor.run('ada', () => registry.getOrCreate('a'))
    clock.advance(1_000)
    ran.length = 0
    visitor.run('ben', () => registry.sweep())

    expect(ran).toEqual(['expired a in constructor', 'ended a idle in constructor', 'swept in constructor'])
  })

  it('eviction: the end of another session is not emitted in the context of the creation that evicts it', () => {
    const { registry, ran } = observed({ maxSessions: 1 })
    visitor.run('ada', () => registry.getOrCreate('a'))
    visitor.run('ben', () => registry.getOrCreate('b'))

    expect(ran).toEqual(['created a in ada', 'ended a capacity in constructor', 'created b in ben'])
  })

  it('reclaiming: nor is that of a session that had expired', () => {
    const { clock, registry, ran } = observed({ timeoutMs: 1_000, intervalMs: 1_000_000 })
    visitor.run('ada', () => registry.getOrCreate('a'))
    clock.advance(1_000)
    visitor.run('ben', () => registry.getOrCreate('b'))

    expect(ran).toEqual([
      'created a in ada',
      'expired a in constructor',
      'ended a idle in constructor',
      'created b in ben',
    ])
  })

  it('archive: hook, retries, timeouts and events run in the constructor’s context', async () => {
    const { clock, registry, ran, note } = observed({
      timeoutMs: 1_000,
      intervalMs: 1_000_000,
      archiveTimeoutMs: 50,
      archiveAttempts: 3,
      archive: ({ id }, _reason, { attempt, signal }) => {
        note(`archive ${id} ${attempt}`)
        signal.addEventListener('abort', () => note(`abort ${id} ${attempt}`))
        if (attempt === 1) return Promise.reject(new Error('the database is down'))
        return attempt === 2 ? new Promise(() => {}) : Promise.resolve()
      },
    })
    visitor.run('ada', () => registry.getOrCreate('a'))
    ran.length = 0
    clock.advance(1_000)
    visitor.run('ben', () => registry.get('a'))
    await visitor.run('cleo', () => clock.advanceAsync(10_000))

    expect(ran).toEqual([
      'archive a 1 in constructor',
      'archive a 2 in constructor',
      'abort a 2 in constructor',
      'archive a 3 in constructor',
      'expired a in constructor',
      'ended a idle in constructor',
    ])
  })

  it('archive: the events of a restored session run in the constructor’s context', async () => {
    const { clock, registry, ran } = observed({
      timeoutMs: 1_000,
      intervalMs: 1_000_000,
      archiveAttempts: 1,
      archive: () => Promise.reject(new Error('the database is down')),
    })
    visitor.run('ada', () => registry.getOrCreate('a'))
    clock.advance(1_000)
    ran.length = 0
    visitor.run('ben', () => registry.get('a'))
    await settle()

    expect(ran).toEqual(['error in constructor'])
  })

  it('archive at the cap: runs in the constructor’s context although a creation caused it', async () => {
    const { registry, ran, note } = observed({
      maxSessions: 1,
      archive: async ({ id }) => {
        note(`archive ${id}`)
      },
    })
    visitor.run('ada', () => registry.getOrCreate('a'))
    ran.length = 0
    await visitor.run('ben', () => registry.open('b'))

    expect(ran).toEqual(['archive a in constructor', 'ended a capacity in constructor', 'created b in ben'])
  })

  it('close: the end of each session is emitted in the constructor’s context', async () => {
    const { registry, ran } = observed()
    visitor.run('ada', () => registry.getOrCreate('a'))
    ran.length = 0
    await visitor.run('ben', () => registry.close())

    expect(ran).toEqual(['ended a closed in constructor'])
  })

  it('constructor: background work is not part of the turn in which the registry was constructed', async () => {
    const clock = new ManualClock()
    const outer = new SessionRegistry<string[]>({ clock, create: () => [] })
    const errors: unknown[] = []
    const order: string[] = []
    let leave = () => {}
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    const turn = outer.run('a', async () => {
      const inner = new SessionRegistry<string[]>({
        clock,
        timeoutMs: 1_000,
        intervalMs: 1_000,
        // A run of its own, that has to wait for the turn in which the registry was made.
        archive: () => outer.run('a', () => void order.push('archived')),
      })
      inner.on('error', (error) => errors.push(error))
      inner.set('x', [])
      await left
      order.push('turn ends')
    })
    await clock.advanceAsync(1_000)
    leave()
    await turn
    await settle()

    expect(order).toEqual(['turn ends', 'archived'])
    expect(errors).toEqual([])
  })
})

describe('the async context of a call’s own effects', () => {
  it('created, expired, ended: run in the context of the call', () => {
    const { clock, registry, ran } = observed({ timeoutMs: 1_000, intervalMs: 1_000_000 })
    visitor.run('ada', () => registry.getOrCreate('a'))
    clock.advance(1_000)
    visitor.run('ben', () => registry.getOrCreate('a'))
    visitor.run('cleo', () => registry.delete('a'))

    expect(ran).toEqual([
      'created a in ada',
      'expired a in ben',
      'ended a idle in ben',
      'created a in ben',
      'ended a deleted in cleo',
    ])
  })

  it('listeners: the effects of a call inside a listener are emitted in the context of that call', () => {
    const { registry, ran } = observed({ maxSessions: 1 })
    registry.once('ended', () => {
      visitor.run('listener', () => registry.delete('b'))
    })
    visitor.run('ada', () => registry.getOrCreate('a'))
    visitor.run('ben', () => registry.getOrCreate('b'))

    expect(ran).toEqual([
      'created a in ada',
      'ended a capacity in constructor',
      'created b in ben',
      'ended b deleted in listener',
    ])
  })

  it('create: runs in the context of the call, even after waiting', async () => {
    const { registry, ran, note } = observed({
      load: async () => undefined,
      create: (id) => {
        note(`create ${id}`)
        return []
      },
    })
    await visitor.run('ada', () => registry.open('a'))

    expect(ran).toEqual(['create a in ada', 'created a in ada'])
  })

  it('load: runs in the context of the first call that waits for it', async () => {
    const { registry, ran, note } = observed({
      load: async (id) => {
        note(`load ${id}`)
        return ['loaded']
      },
    })
    await Promise.all([
      visitor.run('ada', () => registry.open('a')),
      visitor.run('ben', () => registry.open('a')),
    ])

    expect(ran).toEqual(['load a in ada', 'created a in ada'])
  })
})
