import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'

const ended = sessionError('ERR_SESSION_ENDED')
const timedOut = sessionError('ERR_SESSION_TURN_TIMEOUT')

function held(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const made = clockedRegistry(options)
  made.registry.getOrCreate('a')
  const hold = made.registry.hold('a', { maxMs: 5_000 })
  if (hold === undefined) throw new Error('Expected a hold')
  return { ...made, hold }
}

describe('`hold.signal`', () => {
  it('is the same at each read, and has not aborted while the session lives', () => {
    const { hold, clock } = held()
    clock.advance(4_999)

    expect(hold.signal).toBe(hold.signal)
    expect(hold.signal.aborted).toBe(false)
  })

  it.each(['delete', 'clear', 'replace'] as const)('aborts when its session ends: %s', (member) => {
    const { registry, hold } = held()
    const reasons: unknown[] = []
    hold.signal.addEventListener('abort', () => reasons.push(hold.signal.reason))
    if (member === 'replace') registry.replace('a', [])
    else registry[member]('a')

    expect(reasons).toEqual([ended])
    expect(hold.renew()).toBe(false)
  })

  it('has aborted when it is first read after that', () => {
    const { registry, hold } = held()
    registry.delete('a')

    expect(hold.signal.aborted).toBe(true)
    expect(hold.signal.reason).toEqual(ended)
  })

  it('aborts when the hold has lasted for its `maxMs`', () => {
    const { registry, hold, clock } = held()
    registry.on('error', () => {})
    const { signal } = hold
    clock.advance(4_999)
    expect(signal.aborted).toBe(false)
    clock.advance(1)

    expect(signal.reason).toEqual(timedOut)
  })

  it('counts `maxMs` anew when the hold is renewed', () => {
    const { registry, hold, clock } = held()
    registry.on('error', () => {})
    clock.advance(3_000)
    hold.renew()
    clock.advance(4_999)
    expect(hold.signal.aborted).toBe(false)
    clock.advance(1)

    expect(hold.signal.reason).toEqual(timedOut)
  })

  it('does not abort when the hold is released, nor when the session ends after that', () => {
    const { registry, hold } = held()
    hold.release()
    registry.delete('a')

    expect(hold.signal.aborted).toBe(false)
  })

  it('aborts at the deadline of `close`, which takes the hold away', async () => {
    const { registry, hold, clock } = held()
    const report = observe(registry.close({ deadlineMs: 300 }))
    await clock.advanceAsync(299)
    expect(hold.signal.aborted).toBe(false)
    await clock.advanceAsync(1)

    expect(hold.signal.reason).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(report.value).toMatchObject({ ended: 1 })
  })

  it('aborts in the async context in which it was first read', () => {
    const visitor = new AsyncLocalStorage<string>()
    const { registry, hold } = held()
    const contexts: unknown[] = []
    visitor.run('ada', () => hold.signal).addEventListener('abort', () => contexts.push(visitor.getStore()))
    visitor.run('ben', () => registry.delete('a'))

    expect(contexts).toEqual(['ada'])
  })

  it('of `acquire` aborts as well', async () => {
    const { registry } = clockedRegistry()
    const hold = await registry.acquire('a')
    registry.delete('a')

    expect(hold.signal.reason).toEqual(ended)
  })

  it('the disposal does not wait for the hold, and comes after the abort', () => {
    const { registry, lines, disposer } = disposingRegistry({ mode: 'sync' })
    registry.getOrCreate('a')
    const hold = registry.hold('a')
    const { onCall } = disposer
    disposer.onCall = (call) => {
      onCall(call)
      lines.push(`aborted: ${hold?.signal.aborted}`)
    }
    hold?.signal.addEventListener('abort', () => lines.push('abort'))
    registry.delete('a')

    expect(lines).toEqual(['created a', 'abort', 'dispose a deleted', 'aborted: true', 'ended a deleted'])
  })

  it('a release after the end changes nothing', () => {
    const { registry, lines } = disposingRegistry({ mode: 'sync' })
    registry.getOrCreate('a')
    const hold = registry.hold('a')
    registry.replace('a', ['new'])
    const before = [...lines]
    hold?.release()

    expect(lines).toEqual(before)
    expect(registry.peek('a')).toMatchObject({ value: ['new'], held: false })
  })
})
