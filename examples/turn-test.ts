import assert from 'node:assert/strict'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'

const minute = 60_000
const clock = new ManualClock()
const sessions = new SessionRegistry<string[]>({ clock, create: () => [], maxTurnMs: 30 * minute })

/** A model that takes its time on the clock of the test. */
function askModel(ms: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    clock.setTimeout(() => resolve('an answer'), ms)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

function chat(id: string, ms: number): Promise<number> {
  return sessions.run(id, async ({ value }, signal) => value.push(await askModel(ms, signal)))
}

// A turn may be longer than the idle timeout of 20 minutes.
const answered = chat('ada', 25 * minute)
await clock.advanceAsync(25 * minute - 1)
assert.equal(sessions.has('ada'), true)
await clock.advanceAsync(1)
assert.equal(await answered, 1)

await clock.advanceAsync(20 * minute - 1) // the end of the turn was activity
assert.equal(sessions.has('ada'), true)
await clock.advanceAsync(1)
assert.equal(sessions.has('ada'), false)

// It may not be longer than `maxTurnMs`.
const rejected = assert.rejects(chat('bob', 45 * minute), { code: 'ERR_SESSION_TURN_TIMEOUT' })
await clock.advanceAsync(30 * minute)
await rejected
console.log('25 minutes are a turn, 45 are too many')
