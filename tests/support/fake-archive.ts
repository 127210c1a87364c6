import type { ArchiveReason, Session } from 'session-registry'
import { deferred } from './deferred.ts'

export interface ArchiveCall {
  readonly id: string
  readonly session: Session<string[]>
  readonly reason: ArchiveReason
  readonly attempt: number
  readonly signal: AbortSignal
  readonly superseded: boolean | undefined
  /** Stores a copy of the value and lets the hook succeed. */
  succeed(): void
  fail(error: unknown): void
}

interface ArchiveContext {
  readonly signal: AbortSignal
  readonly attempt: number
  readonly superseded?: boolean
}

/**
 * The archive of the tests: it records every call, and settles it by `mode`.
 *
 * `instant` stores and succeeds, `failing` stores nothing and fails, `manual` waits for the test.
 */
export class FakeArchive {
  mode: 'instant' | 'failing' | 'manual'
  readonly stored = new Map<string, string[]>()
  readonly calls: ArchiveCall[] = []
  readonly failure = new Error('the database is down')
  readonly loads: string[] = []
  underWay = 0
  mostUnderWay = 0

  constructor(mode: 'instant' | 'failing' | 'manual' = 'instant') {
    this.mode = mode
  }

  readonly archive = async (
    session: Session<string[]>,
    reason: ArchiveReason,
    { signal, attempt, superseded }: ArchiveContext,
  ): Promise<void> => {
    const answer = deferred()
    const store = () => this.stored.set(session.id, [...session.value])
    this.underWay += 1
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay)
    this.calls.push({
      id: session.id,
      session,
      reason,
      attempt,
      signal,
      superseded,
      succeed: () => {
        store()
        answer.resolve()
      },
      fail: answer.reject,
    })
    if (this.mode === 'failing') answer.reject(this.failure)
    if (this.mode === 'instant') this.last.succeed()
    try {
      await answer.promise
    } finally {
      this.underWay -= 1
    }
  }

  readonly load = async (id: string): Promise<string[] | undefined> => {
    this.loads.push(id)
    const value = this.stored.get(id)
    return value === undefined ? undefined : [...value]
  }

  get last(): ArchiveCall {
    const call = this.calls.at(-1)
    if (call === undefined) throw new Error('archive was not called')
    return call
  }

  callsOf(id: string): readonly ArchiveCall[] {
    return this.calls.filter((call) => call.id === id)
  }
}
