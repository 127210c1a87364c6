import assert from 'node:assert/strict'
import FakeTimers from '@sinonjs/fake-timers' // or `vi.useFakeTimers()`, or Jest's
import { SessionRegistry } from 'session-registry'

const timers = FakeTimers.install()
const sessions = new SessionRegistry<string[]>({ create: () => [] })

sessions.getOrCreate('ada')
timers.tick(20 * 60_000 - 1)
assert.equal(sessions.has('ada'), true)

timers.tick(1)
assert.equal(sessions.has('ada'), false)
timers.uninstall()
console.log('twenty minutes later, Ada is gone')
