import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { expect, it } from 'vitest'

const count = 1_000

function withManyTimeouts(options: SessionRegistryOptions<number> = {}) {
  const clock = new ManualClock()
  const registry = new SessionRegistry<number>({ clock, ...options })
  const ended: string[] = []
  registry.on('ended', ({ id }, reason) => ended.push(`${id} ${reason}`))
  return { clock, registry, ended }
}

it('many timeouts: each session expires exactly at its own', () => {
  const { clock, registry, ended } = withManyTimeouts({ intervalMs: 1 })
  for (let index = count; index > 0; index -= 1) registry.set(`${index}`, index, { timeoutMs: index })
  for (let index = 1; index <= count; index += 1) {
    clock.advance(1)
    expect(ended).toHaveLength(index)
    expect(ended.at(-1)).toBe(`${index} idle`)
  }
  expect(clock.pending).toBe(0)
})

it('many timeouts: a session expires exactly at its timeout if fractions of a millisecond do not add up', () => {
  const { clock, registry, ended } = withManyTimeouts({ intervalMs: 60_000, maxAgeMs: 4 })
  // In binary, 0.2 + 0.5 - 0.2 is less than 0.5, and 0.1 + 4 - 0.1 less than 4.
  clock.advance(0.1)
  registry.set('aged', 1)
  clock.advance(0.1)
  registry.set('idle', 1, { timeoutMs: 0.5 })
  clock.advance(0.5)
  expect(registry.sweep()).toBe(1)
  expect(ended).toEqual(['idle idle'])
  clock.advance(4.1 - clock.now())
  expect(registry.has('aged')).toBe(false)
})

it('many timeouts: the cap evicts the least recently active, to within a tick', () => {
  const { clock, registry, ended } = withManyTimeouts({ maxSessions: count })
  for (let index = 0; index < count; index += 1) {
    registry.set(`${index}`, index, { timeoutMs: 1e6 + index })
    clock.advance(1)
  }
  // A tick of these timeouts is 7.8 s, so all were active within one; half of them are used again much later.
  clock.advance(100_000)
  for (let index = 0; index < count; index += 2) registry.touch(`${index}`)
  for (let index = 0; index < count / 2; index += 1) registry.set(`new ${index}`, index)

  expect(ended).toHaveLength(count / 2)
  expect(ended.every((line) => Number.parseInt(line, 10) % 2 === 1 && line.endsWith(' capacity'))).toBe(true)
})

it('infinite timeouts: the cap evicts exactly the least recently active, beside finite ones', () => {
  const { clock, registry, ended } = withManyTimeouts({ maxSessions: 3 })
  registry.set('a', 1, { timeoutMs: Number.POSITIVE_INFINITY })
  clock.advance(60_000)
  registry.set('b', 2)
  clock.advance(60_000)
  registry.set('c', 3, { timeoutMs: Number.POSITIVE_INFINITY })
  clock.advance(60_000)
  registry.touch('a')
  clock.advance(60_000)
  for (const id of ['d', 'e', 'f']) {
    registry.set(id, 4)
    clock.advance(60_000)
  }

  expect(ended).toEqual(['b capacity', 'c capacity', 'a capacity'])
})
