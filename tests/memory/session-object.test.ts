import type { Session } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { type ClockedRegistry, clockedRegistry } from '../support/clocked-registry.ts'
import { TrackingClock } from '../support/tracking-clock.ts'

function peek({ registry }: Pick<ClockedRegistry, 'registry'>, id = 'a'): Session<string[]> {
  const session = registry.peek(id)
  if (session === undefined) throw new Error(`there is no session ${id}`)
  return session
}

describe('a session object', () => {
  it('has the times of its session', () => {
    const made = clockedRegistry({ timeoutMs: 10_000 })
    const origin = made.clock.date()
    made.registry.getOrCreate('a')
    made.clock.advance(300)
    made.registry.touch('a')
    made.clock.advance(200)

    expect(peek(made)).toMatchObject({
      id: 'a',
      createdAt: origin,
      lastActiveAt: origin + 300,
      idleMs: 200,
      ageMs: 500,
      timeoutMs: 10_000,
      held: false,
    })
  })

  it('is the same object for the whole incarnation, and another for the next', () => {
    const made = clockedRegistry()
    const seen: unknown[] = []
    made.registry.on('created', (session) => seen.push(session))
    made.registry.on('ended', (session) => seen.push(session))
    made.registry.set('a', [])
    const session = peek(made)
    seen.push(session, ...made.registry.sessions())
    made.registry.replace('a', [])

    expect(new Set(seen.slice(0, 4))).toEqual(new Set([session]))
    expect(peek(made)).not.toBe(session)
  })

  it('incarnation: stays the same, and differs between incarnations', () => {
    const made = clockedRegistry()
    made.registry.set('a', [])
    const first = peek(made)
    const { incarnation } = first
    made.registry.replace('a', [])

    expect(incarnation).toMatch(/^[0-9a-f-]{36}$/)
    expect(first.incarnation).toBe(incarnation)
    expect(peek(made).incarnation).not.toBe(incarnation)
  })

  it('value: can be assigned, which is neither activity nor an event', () => {
    const made = clockedRegistry()
    made.registry.set('a', ['old'])
    made.clock.advance(100)
    const session = peek(made)
    session.value = ['new']
    expect(session.idleMs).toBe(100)

    expect(made.registry.get('a')).toEqual(['new'])
    expect(made.events.lines).toEqual(['created a'])
  })

  it('reading it is not activity', () => {
    const made = clockedRegistry({ timeoutMs: 1_000 })
    made.registry.set('a', [])
    made.clock.advance(999)
    const session = peek(made)
    void [session.value, session.idleMs, session.ageMs, session.incarnation, session.held]
    made.clock.advance(1)

    expect(made.registry.has('a')).toBe(false)
  })

  it('createdAt: does not change when the wall clock is set', () => {
    const clock = new TrackingClock()
    const { registry } = clockedRegistry({ clock })
    registry.set('a', [])
    const session = peek({ registry })
    const { createdAt } = session
    clock.wallShiftMs = 10_000_000
    clock.manual.advance(500)
    registry.touch('a')

    expect([session.createdAt, session.lastActiveAt]).toEqual([createdAt, createdAt + 500])
  })

  it('idleMs: is 0 while it is held', () => {
    const made = clockedRegistry({ timeoutMs: 1_000, maxTurnMs: 100_000 })
    const origin = made.clock.date()
    made.registry.set('a', [])
    const session = peek(made)
    made.clock.advance(500)
    const hold = made.registry.hold('a')
    made.clock.advance(5_000)
    expect(session).toMatchObject({ held: true, idleMs: 0, ageMs: 5_500, lastActiveAt: origin + 5_500 })
    hold?.release()
    made.clock.advance(100)

    expect(session).toMatchObject({ held: false, idleMs: 100, lastActiveAt: origin + 5_500 })
  })
})

describe('the object of a session that has ended', () => {
  it('stays readable with its times frozen', () => {
    const made = clockedRegistry({ timeoutMs: 1_000, intervalMs: 700 })
    made.registry.set('a', ['hello'])
    const session = peek(made)
    const { incarnation } = session
    made.clock.advance(1_400)
    const atTheEnd = { idleMs: 1_400, ageMs: 1_400, held: false, timeoutMs: 1_000, value: ['hello'] }
    expect(session).toMatchObject(atTheEnd)
    made.clock.advance(50_000)
    made.registry.set('a', ['another life'])

    expect(session).toMatchObject({ ...atTheEnd, id: 'a', incarnation })
  })

  it('has the times of the end if they are first read by a listener of `ended`', () => {
    const made = clockedRegistry({ timeoutMs: 1_000, intervalMs: 100_000 })
    const kept: Session<string[]>[] = []
    made.registry.set('a', [])
    made.registry.on('ended', (session) => kept.push(session))
    made.clock.advance(1_500)
    made.registry.sweep()
    made.clock.advance(1_500)

    expect(kept[0]).toMatchObject({ idleMs: 1_500, ageMs: 1_500 })
  })

  it('idleMs: is 0 if it was deleted while held', () => {
    const made = clockedRegistry({ maxTurnMs: 100_000 })
    made.registry.set('a', [])
    const session = peek(made)
    made.registry.hold('a')
    made.clock.advance(5_000)
    const { lastActiveAt } = session
    made.registry.delete('a')
    made.clock.advance(5_000)

    expect(session).toMatchObject({ idleMs: 0, ageMs: 5_000, lastActiveAt, held: false })
  })

  it('accepts a value and a timeout without effect', () => {
    const made = clockedRegistry({ timeoutMs: 1_000 })
    made.registry.set('a', ['old'])
    const session = peek(made)
    made.registry.replace('a', ['new'])
    session.value = ['written too late']
    session.timeoutMs = 5

    expect(made.registry.get('a')).toEqual(['new'])
    expect(peek(made).timeoutMs).toBe(1_000)
    expect(made.clock.pending).toBe(1)
  })
})

describe('session.timeoutMs', () => {
  it('applies from now on, to the idle time so far', () => {
    const made = clockedRegistry({ timeoutMs: 1_000 })
    made.registry.set('a', [])
    made.clock.advance(500)
    peek(made).timeoutMs = 2_000
    made.clock.advance(1_499)
    expect(made.registry.has('a')).toBe(true)
    made.clock.advance(1)

    expect(made.registry.has('a')).toBe(false)
  })

  it('may expire the session at once', () => {
    const made = clockedRegistry({ timeoutMs: 1_000 })
    made.registry.set('a', [])
    made.clock.advance(500)
    peek(made).timeoutMs = 500

    expect(made.registry.has('a')).toBe(false)
    expect(made.registry.sweep()).toBe(1)
  })

  it('does not revive an expired session', () => {
    const made = clockedRegistry({ timeoutMs: 1_000, intervalMs: 100_000 })
    made.registry.set('a', [])
    const session = peek(made)
    made.clock.advance(1_000)
    session.timeoutMs = 1_000_000

    expect(made.registry.has('a')).toBe(false)
    expect(session.timeoutMs).toBe(1_000)
  })

  it('undefined: restores the registry’s timeout', () => {
    const made = clockedRegistry({ timeoutMs: 1_000 })
    made.registry.set('a', [], { timeoutMs: 5_000 })
    const session = peek(made)
    expect(session.timeoutMs).toBe(5_000)
    session.timeoutMs = undefined
    expect(session.timeoutMs).toBe(1_000)
    made.clock.advance(1_000)

    expect(made.registry.has('a')).toBe(false)
  })

  it('accepts infinity', () => {
    const made = clockedRegistry({ timeoutMs: 1_000, maxAgeMs: 50_000 })
    made.registry.set('a', [], { timeoutMs: Number.POSITIVE_INFINITY })
    made.clock.advance(49_999)
    expect(made.registry.has('a')).toBe(true)
    made.clock.advance(1)

    expect(made.registry.has('a')).toBe(false)
  })

  it('may be assigned while the session is held, and counts from the release', () => {
    const made = clockedRegistry({ timeoutMs: 1_000, maxTurnMs: 100_000 })
    made.registry.set('a', [])
    const hold = made.registry.hold('a')
    peek(made).timeoutMs = 300
    made.clock.advance(5_000)
    hold?.release()
    made.clock.advance(299)
    expect(made.registry.has('a')).toBe(true)
    made.clock.advance(1)

    expect(made.registry.has('a')).toBe(false)
  })
})
