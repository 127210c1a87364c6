import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'

const minute = 60_000
let clock: ManualClock
let sessions: SessionRegistry<string[]>

beforeEach(() => {
  clock = new ManualClock()
  sessions = new SessionRegistry<string[]>({ clock, create: () => [] })
})

afterEach(async () => {
  const closed = sessions.close()
  await clock.advanceAsync(minute) // the deadlines and pauses of `close`
  await closed
})

test('a visitor is forgotten after 20 minutes', () => {
  sessions.getOrCreate('ada').push('hello')
  clock.advance(20 * minute)
  assert.equal(sessions.get('ada'), undefined)
})

test('a visitor who says something stays', () => {
  sessions.getOrCreate('ada').push('hello')
  clock.advance(15 * minute)
  sessions.getOrCreate('ada').push('and again')
  clock.advance(15 * minute)
  assert.deepEqual(sessions.get('ada'), ['hello', 'and again'])
})
