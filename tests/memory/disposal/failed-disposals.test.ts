import { inspect } from 'node:util'
import { isSessionRegistryError, type SessionRegistryError } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { TrackingClock } from '../../support/tracking-clock.ts'

const disposeFailed = sessionError('ERR_SESSION_DISPOSE_FAILED')

function errorOf(errors: readonly unknown[]): SessionRegistryError {
  const [error] = errors
  if (errors.length !== 1 || !isSessionRegistryError(error)) throw new Error(`Expected one error: ${errors}`)
  return error
}

describe('a disposal that fails', () => {
  it.each(['throws', 'rejects'] as const)(
    'that %s: is an `error` event, and the session has ended',
    async (how) => {
      const { registry, disposer, errors, lines } = disposingRegistry({
        mode: how === 'throws' ? 'throwing' : 'manual',
      })
      registry.getOrCreate('a')
      const session = registry.peek('a')
      registry.delete('a')
      if (how === 'rejects') disposer.at(0).reject(disposer.failure)
      await settle()

      const error = errorOf(errors)
      expect(error).toEqual(disposeFailed)
      expect(error.cause).toBe(disposer.failure)
      expect(error.session).toBe(session)
      expect(error.statusCode).toBe(500)
      expect(lines).toEqual(['created a', 'dispose a deleted', 'ended a deleted'])
      expect(disposer.calls).toHaveLength(1)
      expect(registry.stats()).toMatchObject({ disposing: 0, deleted: 1, listenerErrors: 0 })
    },
  )

  it('reaches no caller', () => {
    const { registry } = disposingRegistry({ mode: 'throwing', maxSessions: 1 })
    registry.getOrCreate('a')

    expect(registry.getOrCreate('b')).toEqual(['b'])
    expect(registry.delete('b')).toBe(true)
    expect(registry.clear()).toBe(0)
  })

  it('names the session in a property that is not enumerable, and shows neither its id nor its value', () => {
    const { registry, errors } = disposingRegistry({ mode: 'throwing', create: () => ['a secret'] })
    registry.getOrCreate('ada@example.org')
    registry.delete('ada@example.org')

    const error = errorOf(errors)
    expect(error.session?.value).toEqual(['a secret'])
    expect(Object.keys(error)).not.toContain('session')
    const shown = `${inspect(error)} ${JSON.stringify(error)} ${error.message}`
    expect(shown).toContain('ERR_SESSION_DISPOSE_FAILED')
    expect(shown).not.toMatch(/ada@example|a secret/)
  })

  it('is logged at `error` with the session', () => {
    const logger = new RecordingLogger()
    const { registry, errors } = disposingRegistry({ mode: 'throwing', logger, logIds: 'plain' })
    registry.getOrCreate('a')
    registry.delete('a')

    expect(logger.at('error')).toEqual([
      {
        level: 'error',
        message: 'a value could not be disposed of',
        fields: { registry: 'sessions', session: 'a', err: errorOf(errors) },
      },
    ])
  })

  it('keeps no other session from being disposed of', () => {
    const { registry, errors, lines } = disposingRegistry({ mode: 'throwing' })
    for (const id of ['a', 'b', 'c']) registry.getOrCreate(id)
    registry.clear()

    expect(errors).toHaveLength(3)
    expect(lines.filter((line) => line.startsWith('ended'))).toHaveLength(3)
  })
})

describe('`disposeTimeoutMs`', () => {
  it('ends a disposal that takes longer: its signal aborts, and the session has ended', async () => {
    const { registry, clock, disposer, errors, lines } = disposingRegistry({ disposeTimeoutMs: 700 })
    registry.getOrCreate('a')
    registry.delete('a')
    await clock.advanceAsync(699)
    expect(disposer.at(0).signal.aborted).toBe(false)
    expect(registry.stats().disposing).toBe(1)
    await clock.advanceAsync(1)

    expect(disposer.at(0).signal.aborted).toBe(true)
    expect(disposer.at(0).signal.reason).toEqual(disposeFailed)
    const error = errorOf(errors)
    expect(error).toEqual(disposeFailed)
    expect(error.cause).toBe(disposer.at(0).signal.reason)
    expect(lines.at(-1)).toBe('ended a deleted')
    expect(registry.stats().disposing).toBe(0)
  })

  it('is half a minute by default', async () => {
    const { registry, clock, errors } = disposingRegistry()
    registry.getOrCreate('a')
    registry.delete('a')
    await clock.advanceAsync(29_999)
    expect(errors).toEqual([])
    await clock.advanceAsync(1)

    expect(errors).toEqual([disposeFailed])
  })

  it('frees the id and the place', async () => {
    const { registry, clock } = disposingRegistry({ disposeTimeoutMs: 700, maxSessions: 1 })
    registry.getOrCreate('a')
    const opens = [registry.open('b'), registry.open('b')]
    await clock.advanceAsync(700)

    expect(await Promise.all(opens)).toEqual([['b'], ['b']])
  })

  it.each(['resolve', 'reject'] as const)('ignores what comes later: %s', async (how) => {
    const { registry, clock, disposer, errors, lines } = disposingRegistry({ disposeTimeoutMs: 700 })
    registry.getOrCreate('a')
    registry.delete('a')
    await clock.advanceAsync(700)
    const { length } = lines
    disposer.at(0)[how](new Error('late') as never)
    await settle()

    expect(errors).toHaveLength(1)
    expect(lines).toHaveLength(length)
    expect(registry.stats()).toMatchObject({ disposing: 0, deleted: 1 })
  })

  it('may be Infinity: the disposal takes as long as it likes', async () => {
    const { registry, clock, disposer, errors } = disposingRegistry({
      disposeTimeoutMs: Number.POSITIVE_INFINITY,
      timeoutMs: Number.POSITIVE_INFINITY,
    })
    registry.getOrCreate('a')
    registry.delete('a')
    await clock.advanceAsync(100 * 86_400_000)
    expect(errors).toEqual([])
    expect(registry.stats().disposing).toBe(1)
    disposer.at(0).resolve()
    await settle()

    expect(registry.stats()).toMatchObject({ disposing: 0, deleted: 1 })
  })

  it('may be longer than a timer of the host', async () => {
    const { registry, clock, errors } = disposingRegistry({ disposeTimeoutMs: 2 ** 31 + 10 })
    registry.getOrCreate('a')
    registry.delete('a')
    await clock.advanceAsync(2 ** 31 + 9)
    expect(errors).toEqual([])
    await clock.advanceAsync(1)

    expect(errors).toEqual([disposeFailed])
  })

  it('leaves no timer behind where the disposal settles in time', async () => {
    const { registry, clock, disposer } = disposingRegistry({ timeoutMs: Number.POSITIVE_INFINITY })
    registry.getOrCreate('a')
    registry.delete('a')
    expect(clock.pending).toBe(1)
    disposer.at(0).resolve()
    await settle()

    expect(clock.pending).toBe(0)
  })

  it('keeps the process alive only for a call that waits', async () => {
    const clock = new TrackingClock()
    const { registry, disposer } = disposingRegistry({ clock, timeoutMs: Number.POSITIVE_INFINITY })
    registry.getOrCreate('a')
    registry.delete('a')
    expect([clock.waiting.size, clock.refed]).toEqual([1, 0])
    const controller = new AbortController()
    const opened = registry.open('a', { signal: controller.signal }).catch(() => 'gone')
    await settle()
    expect(clock.refed).toBe(1)
    controller.abort()
    expect(await opened).toBe('gone')
    expect(clock.refed).toBe(0)
    disposer.at(0).resolve()
    await settle()

    expect(clock.waiting.size).toBe(0)
  })
})
