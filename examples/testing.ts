import assert from 'node:assert/strict'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'

const minute = 60_000
const clock = new ManualClock()
const sessions = new SessionRegistry<string[]>({ clock, create: () => [] })
const expired: string[] = []
sessions.on('expired', (session) => expired.push(session.id))

sessions.getOrCreate('bob') // the first session starts the sweep: at minutes 5, 10, 15, …
clock.advance(minute)
sessions.getOrCreate('ada')

clock.advance(20 * minute - 1)
assert.equal(sessions.has('ada'), true)
clock.advance(1) // minute 21
assert.equal(sessions.has('ada'), false) // no call finds it any more

assert.deepEqual(expired, ['bob']) // Ada's event comes with the next sweep, at minute 25
sessions.sweep() // or `clock.advance(5 * minute)`
assert.deepEqual(expired, ['bob', 'ada'])
console.log('twenty minutes later, Ada is gone')
