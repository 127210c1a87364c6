import assert from 'node:assert/strict'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'

const clock = new ManualClock()
const sessions = new SessionRegistry<string[]>({ clock, create: () => [] })
const gone: string[] = []
sessions.on('expired', (session) => gone.push(session.id))

sessions.getOrCreate('ada')
clock.advance(20 * 60_000 - 1)
assert.equal(sessions.has('ada'), true)

clock.advance(1) // twenty minutes, in microseconds
assert.equal(sessions.has('ada'), false)
assert.deepEqual(gone, ['ada'])
console.log('twenty minutes later, Ada is gone')
