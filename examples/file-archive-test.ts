import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SessionRegistry } from 'session-registry'
import { ManualClock } from 'session-registry/testing'

const folder = await mkdtemp(join(tmpdir(), 'archive-test-'))
const clock = new ManualClock()
const sessions = new SessionRegistry<string[]>({
  clock,
  create: () => [],
  archive: ({ id, value }, _reason, { signal }) => writeFile(join(folder, id), value.join('\n'), { signal }),
})

sessions.getOrCreate('ada').push('hello')
clock.advance(20 * 60_000) // to the deadline, and no further
sessions.sweep() // the archive begins
await sessions.settled() // and ends, while the clock stands still
assert.equal(await readFile(join(folder, 'ada'), 'utf8'), 'hello')
assert.equal(sessions.stats().archiveFailures, 0)

sessions.getOrCreate('bob')
assert.equal((await sessions.close()).archived, 1) // nothing fails: there is no pause to advance through
await rm(folder, { recursive: true })
console.log('archived to a file')
