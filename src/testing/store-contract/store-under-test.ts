import { randomUUID } from 'node:crypto'
import type { SessionStore, StoredSession } from '../../core/store.ts'
import { pause } from '../../core/storing/pause.ts'
import { expectEqual, expectThat } from './assertions.ts'

/**
 * The longest time that one call may take, in milliseconds: far more than any store needs, less than most
 * test runners allow.
 */
const longestCallMs = 30_000

/** Returns a session with a new revision. */
export function newSession(fields: Partial<StoredSession> = {}): StoredSession {
  return {
    id: 'ada',
    text: '["hello"]',
    revision: randomUUID(),
    createdAt: 1_764_000_000_123,
    lastActiveAt: 1_764_000_300_456,
    ...fields,
  }
}

/** Returns the session of the next write: other contents and a new revision. */
export function nextOf(session: StoredSession, fields: Partial<StoredSession> = {}): StoredSession {
  return { ...session, revision: randomUUID(), ...fields }
}

/** A store with calls whose errors name what went wrong. */
export class StoreUnderTest<S extends SessionStore = SessionStore> {
  readonly store: S

  constructor(store: S) {
    this.store = store
  }

  async get(id: string, signal: AbortSignal = noAbort()): Promise<StoredSession | undefined> {
    return inTime('get', this.store.get(id, { signal }))
  }

  async put(
    session: StoredSession,
    replaces: string | null | undefined = undefined,
    signal: AbortSignal = noAbort(),
  ): Promise<boolean> {
    return inTime('put', this.store.put(session, { signal, replaces }))
  }

  async delete(id: string, replaces?: string, signal: AbortSignal = noAbort()): Promise<void> {
    return inTime('delete', this.store.delete(id, replaces === undefined ? { signal } : { signal, replaces }))
  }

  /** Puts a session that must be written. */
  async keep(session: StoredSession, replaces?: string | null): Promise<void> {
    expectEqual(await this.put(session, replaces), true, 'the result of a `put` that is to write')
  }

  /** Checks the session that is stored under an id. `undefined`: none. */
  async expectStored(id: string, expected: StoredSession | undefined, when: string): Promise<void> {
    const found = await this.get(id)
    expectThat(found !== null, `${when}: expected \`get\` to return \`undefined\` for a miss, got null`)
    expectEqual(found && fieldsOf(found), expected && fieldsOf(expected), `what is stored ${when}`)
  }
}

/** The fields of the contract, without those that are `undefined`. */
function fieldsOf({ id, text, revision, createdAt, lastActiveAt, timeoutMs, owner }: StoredSession): object {
  return { id, text, revision, createdAt, lastActiveAt, timeoutMs, owner }
}

function noAbort(): AbortSignal {
  return new AbortController().signal
}

/** Settles as the call does. Rejects if that takes too long. */
async function inTime<R>(what: string, call: Promise<R>): Promise<R> {
  const done = new AbortController()
  const late = pause(longestCallMs, done.signal).then(
    () => {
      throw new Error(`Expected \`${what}\` to settle within ${longestCallMs} ms`)
    },
    () => call,
  )
  try {
    return await Promise.race([call, late])
  } finally {
    done.abort()
    // `late` now follows the call, whose failure has been reported.
    late.catch(() => {})
  }
}
