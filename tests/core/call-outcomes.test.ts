import { ManualClock } from 'session-registry/testing'
import { describe, expect, it, vi } from 'vitest'
import { SessionRegistryError } from '../../src/core/errors/session-registry-error.ts'
import { storeConflictError, storeRuleError, storeTimeoutError } from '../../src/core/errors/store-errors.ts'
import { archiveTimeoutError, closedError, loadTimeoutError } from '../../src/core/errors/turn-errors.ts'
import { CallOutcomes } from '../../src/core/watching/call-outcomes.ts'
import { deferred } from '../support/deferred.ts'
import { failureOf, thrownBy } from '../support/session-error.ts'
import { settle } from '../support/settle.ts'

const failure = new Error('the database is down')

function newOutcomes() {
  const clock = new ManualClock()
  const outcomes = new CallOutcomes(clock)
  const controller = new AbortController()
  const call = <R>(fn: () => R) => outcomes.call(fn, controller)
  /** A call of the store that the test settles. */
  const begin = () => {
    const answer = deferred<string>()
    const called = call(() => answer.promise)
    called.catch(() => {})
    return answer
  }
  return { clock, outcomes, controller, call, begin }
}

describe('the outcomes of calls', () => {
  it('none so far: not failing', () => {
    expect(newOutcomes().outcomes.isFailing).toBe(false)
  })

  it('the newest one decides, whatever the order in which the calls began', async () => {
    const { outcomes, begin } = newOutcomes()
    const [first, second, third] = [begin(), begin(), begin()]
    second.reject(failure)
    await settle()
    expect(outcomes.isFailing).toBe(true)
    first.resolve('there')
    await settle()
    expect(outcomes.isFailing).toBe(false)
    third.reject(failure)
    await settle()

    expect(outcomes.isFailing).toBe(true)
  })

  it('a failure counts for 30 seconds: a probe that keeps visitors away must not do so for ever', async () => {
    const { outcomes, clock, begin } = newOutcomes()
    begin().reject(failure)
    await settle()
    clock.advance(29_999)
    expect(outcomes.isFailing).toBe(true)
    clock.advance(1)

    expect(outcomes.isFailing).toBe(false)
  })

  it('a call that throws, or returns no promise: is an outcome at once', () => {
    const { outcomes, call } = newOutcomes()
    const fail = () => {
      throw failure
    }
    expect(thrownBy(() => call(fail))).toBe(failure)
    expect(outcomes.isFailing).toBe(true)
    expect(call(() => 'there')).toBe('there')

    expect(outcomes.isFailing).toBe(false)
  })

  it('a call returns what it would return; a foreign promise is asked once', async () => {
    const { call } = newOutcomes()
    const promise = Promise.resolve('there')
    expect(call(() => promise)).toBe(promise)
    const then = vi.fn((resolve: (value: string) => void) => resolve('found'))
    expect(await call(() => ({ then }) as unknown as Promise<string>)).toBe('found')

    expect(then).toHaveBeenCalledOnce()
  })

  it.each([
    ['a read', loadTimeoutError(5)],
    ['a write', storeTimeoutError(5)],
    ['an archive', archiveTimeoutError(5)],
  ])('%s that has taken too long: has failed, until it is answered after all', async (_what, reason) => {
    const { outcomes, controller, begin } = newOutcomes()
    const answer = begin()
    controller.abort(reason)
    expect(outcomes.isFailing).toBe(true)
    answer.resolve('late')
    await settle()

    expect(outcomes.isFailing).toBe(false)
  })

  it.each([
    ['no one waits for', new DOMException('left', 'AbortError')],
    ['the registry aborts as it closes', closedError()],
  ])('a call that %s: says nothing, also if it rejects then', async (_what, reason) => {
    const { outcomes, controller, begin } = newOutcomes()
    const answer = begin()
    controller.abort(reason)
    expect(outcomes.isFailing).toBe(false)
    answer.reject(reason)
    await settle()

    expect(outcomes.isFailing).toBe(false)
  })

  it('a signal that aborts after the call has settled: says nothing', async () => {
    const { outcomes, controller, begin } = newOutcomes()
    const [failed, succeeded] = [begin(), begin()]
    failed.reject(failure)
    await settle()
    succeeded.resolve('there')
    await settle()
    controller.abort(loadTimeoutError(5))

    expect(outcomes.isFailing).toBe(false)
  })

  it.each([
    ['of a session', new SessionRegistryError('ERR_SESSION_VALUE_INVALID', 'no JSON'), false],
    ['of a conflict', storeConflictError(), false],
    ['of a rule that the store breaks', storeRuleError('put', 'a boolean', 'null'), true],
  ])('an error %s: is a failure of the store only if it is one', async (_what, error, isFailing) => {
    const { outcomes, begin } = newOutcomes()
    begin().reject(error)
    await settle()

    expect(outcomes.isFailing).toBe(isFailing)
  })

  it('track: a call with a timeout of its own', async () => {
    const { outcomes } = newOutcomes()
    expect(await failureOf(() => outcomes.track(Promise.reject(closedError())))).toEqual(closedError())
    expect(outcomes.isFailing).toBe(true)
    expect(await outcomes.track(Promise.resolve('there'))).toBe('there')

    expect(outcomes.isFailing).toBe(false)
  })
})
