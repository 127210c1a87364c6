import type { DisposeSession, EndReason } from 'session-registry'
import { type Deferred, deferred } from './deferred.ts'

export interface DisposeCall extends Deferred<void> {
  readonly value: string[]
  readonly reason: EndReason
  readonly archived: boolean
  readonly signal: AbortSignal
}

/**
 * The `dispose` hook of the tests: it records every call.
 *
 * `sync` returns no promise, `throwing` throws, `manual` returns a promise that the test settles.
 */
export class FakeDispose {
  mode: 'sync' | 'throwing' | 'manual'
  readonly calls: DisposeCall[] = []
  readonly failure = new Error('the socket is stuck')
  /** Called with each call, before it settles. */
  onCall: (call: DisposeCall) => void = () => {}

  constructor(mode: 'sync' | 'throwing' | 'manual' = 'manual') {
    this.mode = mode
  }

  readonly dispose: DisposeSession<string[]> = (value, reason, { signal, archived }) => {
    const call = { ...deferred(), value, reason, archived, signal }
    this.calls.push(call)
    this.onCall(call)
    if (this.mode === 'throwing') throw this.failure
    return this.mode === 'manual' ? call.promise : undefined
  }

  /** The call of this index, from 0. */
  at(index: number): DisposeCall {
    const call = this.calls[index]
    if (call === undefined) throw new Error(`dispose was called ${this.calls.length} times`)
    return call
  }

  /** The values that were disposed of, in order. */
  get values(): readonly string[][] {
    return this.calls.map(({ value }) => value)
  }
}
