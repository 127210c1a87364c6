import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { CheckedCodec, type SessionCodec } from '../../../src/core/codec/codec.ts'
import { jsonCodec } from '../../../src/core/codec/json-codec.ts'
import { RedisSession } from '../../../src/redis/redis-session.ts'
import { expiryReasonOf, type SessionSnapshot } from '../../../src/redis/storage/session-snapshot.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'

const codec = new CheckedCodec(jsonCodec as SessionCodec<string[]>)
const timeouts = { timeoutMs: 30_000, maxTimeoutMs: Number.POSITIVE_INFINITY }
const snapshot: SessionSnapshot = {
  id: 'ada',
  incarnation: 'g',
  owner: undefined,
  version: '1',
  createdAt: 1_000,
  lastActiveAt: 4_000,
  timeoutMs: 60_000,
  maxAgeAt: Number.POSITIVE_INFINITY,
  seenAt: 6_000,
  held: false,
  text: '["hello"]',
}
const sessionOf = (more: Partial<SessionSnapshot> = {}, clock = new ManualClock()) =>
  new RedisSession({ ...snapshot, ...more }, codec, timeouts, clock)

describe('a session snapshot', () => {
  it('has the times of that moment', () => {
    const clock = new ManualClock()
    const session = sessionOf({}, clock)
    clock.advance(500)

    expect(session).toMatchObject({ id: 'ada', incarnation: 'g', createdAt: 1_000, lastActiveAt: 4_000 })
    expect(session).toMatchObject({ idleMs: 2_000, ageMs: 5_000, timeoutMs: 60_000, held: false })
  })

  it('has no negative times if the server’s clock was set back', () => {
    expect(sessionOf({ seenAt: 500 })).toMatchObject({ idleMs: 0, ageMs: 0 })
  })

  it('ages during a turn, and is not idle in it', () => {
    const clock = new ManualClock()
    const session = sessionOf({}, clock)
    session.beginTurn()
    clock.advance(500)
    expect(session).toMatchObject({ held: true, idleMs: 0, ageMs: 5_500, lastActiveAt: 6_500 })
    session.endTurn()
    clock.advance(500)

    expect(session).toMatchObject({ held: false, ageMs: 5_500 })
  })

  it('is decoded when its value is first read, once', () => {
    let decoded = 0
    const counting = new CheckedCodec<string[]>({
      encode: (value) => JSON.stringify(value),
      decode: (text) => {
        decoded += 1
        return JSON.parse(text)
      },
    })
    const session = new RedisSession(snapshot, counting, timeouts)
    expect(session.changes()).toEqual({ text: undefined, timeoutMs: undefined, owner: undefined })
    expect(decoded).toBe(0)

    expect(session.value).toEqual(['hello'])
    expect(session.value).toBe(session.value)
    expect(decoded).toBe(1)
  })

  it('that cannot be decoded fails before a turn begins', () => {
    expect(thrownBy(() => sessionOf({ text: '[' }).beginTurn())).toEqual(
      sessionError('ERR_SESSION_VALUE_INVALID'),
    )
  })

  it('reports what has changed', () => {
    const session = sessionOf()
    session.value.push('again')
    expect(session.changes().text).toBe('["hello","again"]')
    session.value.pop()
    expect(session.changes().text).toBeUndefined()
    session.value = []
    expect(session.changes().text).toBe('[]')
  })

  it('accepts another timeout, or restores that of the registry', () => {
    const session = sessionOf()
    session.timeoutMs = 5
    expect(session.changes().timeoutMs).toBe(5)
    session.timeoutMs = undefined
    expect(session.timeoutMs).toBe(30_000)
    expect(
      thrownBy(() => {
        session.timeoutMs = -1
      }),
    ).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(session.changes().timeoutMs).toBe(30_000)
  })

  it('accepts another owner, or none', () => {
    const session = sessionOf({ owner: 'ada' })
    expect([session.owner, session.changes().owner]).toEqual(['ada', undefined])
    session.owner = 'bob'
    expect([session.owner, session.changes().owner]).toEqual(['bob', { to: 'bob' }])
    session.owner = undefined
    expect([session.owner, session.changes().owner]).toEqual([undefined, { to: undefined }])
    expect(
      thrownBy(() => {
        session.owner = ''
      }),
    ).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    session.owner = 'ada'
    expect(session.changes().owner).toBeUndefined()
  })
})

describe('the reason of an expiry', () => {
  it.each([
    ['idle', { lastActiveAt: 4_000, timeoutMs: 10, maxAgeAt: 5_000 }],
    ['age', { lastActiveAt: 4_000, timeoutMs: 2_000, maxAgeAt: 5_000 }],
    ['idle', { lastActiveAt: 4_000, timeoutMs: 1_000, maxAgeAt: 5_000 }],
    ['age', { timeoutMs: Number.POSITIVE_INFINITY, maxAgeAt: 5_000 }],
    ['idle', { maxAgeAt: Number.POSITIVE_INFINITY }],
  ])('is the earlier deadline: %s', (reason, more) => {
    expect(expiryReasonOf({ ...snapshot, ...more })).toBe(reason)
  })
})
