import assert from 'node:assert/strict'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'

const clock = new ManualClock()
const stored: string[] = []
const sessions = new SessionRegistry<string[]>({
  clock,
  create: () => [],
  archive: async ({ id }, _reason, { attempt }) => {
    if (attempt < 3) throw new Error('the database is down')
    stored.push(id)
  },
})

sessions.getOrCreate('ada')
await clock.advanceAsync(30 * 60_000) // idle for 20 minutes, swept, archived at the third attempt
assert.deepEqual(stored, ['ada'])
assert.equal(sessions.stats().archiveFailures, 2)
console.log('archived at the third attempt')

sessions.getOrCreate('bob')
const closed = sessions.close()
await clock.advanceAsync(60_000) // without this, the pauses between the attempts would never end
assert.equal((await closed).archived, 1)
assert.deepEqual(stored, ['ada', 'bob'])
console.log('and closed')
