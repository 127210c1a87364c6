import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const needsOpen = sessionError('ERR_SESSION_NEEDS_OPEN')

/** A registry whose session `a` is being disposed of. */
function leaving(options: Parameters<typeof disposingRegistry>[0] = {}) {
  const made = disposingRegistry(options)
  made.registry.getOrCreate('a')
  made.registry.delete('a')
  made.lines.length = 0
  return made
}

describe('an id whose value is being disposed of', () => {
  it('reads as absent', () => {
    const { registry } = leaving()

    expect(registry.get('a')).toBeUndefined()
    expect(registry.peek('a')).toBeUndefined()
    expect(registry.hold('a')).toBeUndefined()
    expect([registry.has('a'), registry.touch('a'), registry.size]).toEqual([false, false, 0])
    expect([...registry.keys(), ...registry.values(), ...registry.sessions(), ...registry]).toEqual([])
  })

  it('is not deleted, nor counted by `clear`', () => {
    const { registry, disposer } = leaving()
    registry.getOrCreate('b')

    expect(registry.delete('a')).toBe(false)
    expect(registry.clear()).toBe(1)
    expect(disposer.values).toEqual([['a'], ['b']])
  })

  it('`open`, `run`, `stream` and `acquire` wait for it, then create anew', async () => {
    const { registry, disposer, lines } = leaving()
    const opened = observe(registry.open('a'))
    const ran = observe(registry.run('a', ({ value }) => value))
    const stream = registry.stream('a', async function* ({ value }) {
      yield value
    })
    const streamed = observe(stream.next())
    const acquired = observe(registry.acquire('a'))
    await settle()
    expect([opened.state, ran.state, streamed.state, acquired.state]).toEqual(Array(4).fill('pending'))
    expect(lines).toEqual([])
    disposer.at(0).resolve()
    await settle()

    expect(lines).toEqual(['ended a deleted', 'created a'])
    expect(opened.value).toEqual(['a'])
    expect(ran.value).toBe(opened.value)
    expect(streamed.value).toEqual({ done: false, value: opened.value })
    expect(acquired.value?.session.value).toBe(opened.value)
  })

  it('`open` goes on when the disposal has failed', async () => {
    const { registry, disposer } = leaving()
    const opened = observe(registry.open('a'))
    disposer.at(0).reject(new Error('stuck'))
    await settle()

    expect(opened.value).toEqual(['a'])
  })

  it('`open` waits for every value of the id', async () => {
    const { registry, disposer } = disposingRegistry()
    registry.getOrCreate('a')
    registry.replace('a', ['second'])
    registry.delete('a')
    const opened = observe(registry.open('a'))
    disposer.at(0).resolve()
    await settle()
    expect(opened.state).toBe('pending')
    disposer.at(1).resolve()
    await settle()

    expect(opened.value).toEqual(['a'])
  })

  it('`getOrCreate` and `set` throw, and work afterwards', async () => {
    const { registry, disposer } = leaving()
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    expect(thrownBy(() => registry.getOrCreate('a', () => []))).toEqual(needsOpen)
    expect(thrownBy(() => registry.set('a', []))).toEqual(needsOpen)
    disposer.at(0).resolve()
    await settle()

    expect(registry.getOrCreate('a')).toEqual(['a'])
  })

  it('`replace` goes on at once, and `ended` of the old incarnation comes after `created` of the new', async () => {
    const { registry, disposer, lines } = disposingRegistry()
    const incarnations: unknown[] = []
    registry.on('created', ({ incarnation }) => incarnations.push(incarnation))
    registry.on('ended', ({ incarnation }) => incarnations.push(incarnation))
    registry.getOrCreate('a')
    registry.replace('a', ['new'])
    expect(registry.get('a')).toEqual(['new'])
    expect(lines).toEqual(['created a', 'dispose a replaced', 'created a'])
    disposer.at(0).resolve()
    await settle()

    expect(lines.slice(3)).toEqual(['ended a replaced'])
    expect(incarnations).toEqual([incarnations[0], expect.any(String), incarnations[0]])
    expect(incarnations[1]).not.toBe(incarnations[0])
  })

  it('`replace` of an id that is being disposed of creates at once', () => {
    const { registry } = leaving()
    registry.replace('a', ['new'])

    expect(registry.get('a')).toEqual(['new'])
    expect(registry.stats()).toMatchObject({ size: 1, disposing: 1 })
  })

  it('a new session of the id is used while the old value is disposed of', async () => {
    const { registry, disposer } = leaving()
    registry.replace('a', ['new'])

    expect(await registry.open('a')).toEqual(['new'])
    expect(registry.getOrCreate('a')).toEqual(['new'])
    registry.set('a', ['assigned'])
    expect(await registry.run('a', ({ value }) => value)).toEqual(['assigned'])
    expect(disposer.calls).toHaveLength(1)
  })

  it('`whenBusy: reject` rejects at once', async () => {
    const { registry } = leaving()

    expect(await failureOf(() => registry.run('a', () => {}, { whenBusy: 'reject' }))).toEqual(
      sessionError('ERR_SESSION_BUSY'),
    )
  })

  it('`create: false` waits, and finds nothing', async () => {
    const { registry, disposer } = leaving()
    const opened = observe(registry.open('a', { create: false }))
    const ran = observe(registry.run('a', () => 'called', { create: false }))
    await settle()
    expect([opened.state, ran.state]).toEqual(['pending', 'pending'])
    disposer.at(0).resolve()
    await settle()

    expect([opened, ran]).toMatchObject([
      { state: 'fulfilled', value: undefined },
      { state: 'fulfilled', value: undefined },
    ])
    expect(registry.stats().created).toBe(1)
  })

  it('`waitMs` and a signal end the wait', async () => {
    const { registry, clock } = leaving()
    const controller = new AbortController()
    const late = observe(registry.run('a', () => {}, { waitMs: 50 }))
    const gone = observe(registry.open('a', { signal: controller.signal }))
    controller.abort('gone')
    await clock.advanceAsync(50)

    expect(late.error).toEqual(sessionError('ERR_SESSION_BUSY'))
    expect(gone.error).toBe('gone')
  })

  it('an expired session is disposed of by the read that finds it, in the same step', () => {
    const { registry, clock, lines } = disposingRegistry({ mode: 'sync' })
    registry.getOrCreate('a')
    clock.advance(1_000)

    expect(registry.getOrCreate('a')).toEqual(['a'])
    expect(lines).toEqual(['created a', 'dispose a idle', 'expired a idle', 'ended a idle', 'created a'])
  })

  it('an expired session whose disposal takes time needs `open`', async () => {
    const { registry, clock, disposer } = disposingRegistry()
    registry.getOrCreate('a')
    clock.advance(1_000)
    expect(thrownBy(() => registry.getOrCreate('a'))).toEqual(needsOpen)
    const opened = registry.open('a')
    disposer.at(0).resolve()

    expect(await opened).toEqual(['a'])
    expect(disposer.calls).toHaveLength(1)
  })
})
