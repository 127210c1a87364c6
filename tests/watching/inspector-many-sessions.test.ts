import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { inspectorOf } from '../support/inspector-requests.ts'

describe('very many sessions', () => {
  it('lists 200 of each kind, and the figures count all', async () => {
    const { registry, clock } = clockedRegistry({ timeoutMs: 1e9 })
    for (let n = 0; n < 900; n += 1) {
      registry.set(`a${n}`, [])
      clock.advance(1)
    }
    for (let n = 0; n < 300; n += 1) {
      registry.set(`held${n}`, [])
      registry.hold(`held${n}`)
      clock.advance(1)
    }
    const { busy, idle, stats } = await inspectorOf(registry).first()

    expect(stats).toMatchObject({ size: 1_200, held: 300 })
    expect(idle.map(({ ref }) => ref)).toEqual(Array.from({ length: 200 }, (_, n) => registry.ref(`a${n}`)))
    expect(busy.map(({ ref }) => ref)).toEqual(
      Array.from({ length: 200 }, (_, n) => registry.ref(`held${n}`)),
    )
  })

  it('200 000 sessions are not all inspected', async () => {
    const registry = new SessionRegistry<number>({ create: () => 1 })
    for (let n = 0; n < 200_000; n += 1) registry.getOrCreate(`a${n}`)
    let inspected = 0
    const { first } = inspectorOf(
      new Proxy(registry, {
        get(target, key) {
          if (key === 'inspect') inspected += 1
          const member = Reflect.get(target, key, target)
          return typeof member === 'function' ? member.bind(target) : member
        },
      }),
    )
    inspected = 0
    const { idle, stats } = await first()

    expect(stats?.size).toBe(200_000)
    expect(idle).toHaveLength(200)
    expect(inspected).toBe(0)
  })
})
