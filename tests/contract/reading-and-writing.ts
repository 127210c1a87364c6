import { expect, it, vi } from 'vitest'
import { failureOf, sessionError } from '../support/session-error.ts'
import { type ContractHarness, eventually, record } from './harness.ts'

export function describeReadingAndWriting(harness: ContractHarness): void {
  it('getOrCreate: creates the session at the first call and finds it at the next', async () => {
    const registry = await harness.make({})
    const create = vi.fn((id: string) => [`hello ${id}`])

    expect(await registry.getOrCreate('a', create)).toEqual(['hello a'])
    expect(await registry.getOrCreate('a', create)).toEqual(['hello a'])
    expect(create).toHaveBeenCalledTimes(1)
    expect(create).toHaveBeenCalledWith('a', expect.objectContaining({ signal: expect.any(AbortSignal) }))
  })

  it('getOrCreate: uses the option if the call has no factory', async () => {
    const registry = await harness.make({ create: (id) => ['option', id] })

    expect(await registry.getOrCreate('a')).toEqual(['option', 'a'])
  })

  it('getOrCreate: prefers the factory of the call to the option', async () => {
    const registry = await harness.make({ create: () => ['option'] })

    expect(await registry.getOrCreate('a', () => ['call'])).toEqual(['call'])
  })

  it('getOrCreate: refuses without any factory, and creates nothing', async () => {
    const registry = await harness.make({})

    expect(await failureOf(() => registry.getOrCreate('a'))).toEqual(sessionError('ERR_SESSION_NO_FACTORY'))
    expect(await registry.has('a')).toBe(false)
    expect(await harness.size(registry)).toBe(0)
  })

  it('getOrCreate: passes on the very error of a factory that throws, and creates nothing', async () => {
    const registry = await harness.make({})
    const error = new Error('no room in the factory')
    const failure = await failureOf(() =>
      registry.getOrCreate('a', () => {
        throw error
      }),
    )

    expect(failure).toBe(error)
    expect(await registry.has('a')).toBe(false)
    expect(await harness.size(registry)).toBe(0)
    expect(await registry.getOrCreate('a', () => ['second'])).toEqual(['second'])
  })

  it('get: returns the value of a live session, and undefined for an unknown id', async () => {
    const registry = await harness.make({})
    await registry.set('a', ['hello'])

    expect(await registry.get('a')).toEqual(['hello'])
    expect(await registry.get('b')).toBeUndefined()
    expect(await registry.has('b')).toBe(false)
  })

  it('set: assigns the value of a live session', async () => {
    const registry = await harness.make({})
    await registry.set('a', ['old'])
    await registry.set('a', ['new'])

    expect(await registry.get('a')).toEqual(['new'])
    expect(await harness.size(registry)).toBe(1)
  })

  it('incarnation: is different for each session of an id', async () => {
    const registry = await harness.make({})
    await registry.set('a', ['old'])
    const first = await registry.peek('a')
    const firstName = first?.incarnation
    await registry.delete('a')
    await registry.set('a', ['new'])
    const second = await registry.peek('a')

    expect(firstName).toBeTypeOf('string')
    expect(firstName).not.toBe('')
    expect(second?.incarnation).toBeTypeOf('string')
    expect(second?.incarnation).not.toBe(firstName)
    expect((await registry.peek('a'))?.incarnation).toBe(second?.incarnation)
  })

  it('touch: is activity, and reports whether the session is live', async () => {
    const registry = await harness.make({})
    await registry.set('a', [])

    expect(await registry.touch('a')).toBe(true)
    expect(await registry.touch('b')).toBe(false)
    expect(await registry.has('b')).toBe(false)
  })

  it('peek: returns a live session with its times', async () => {
    const { unitMs } = harness
    const registry = await harness.make({ timeoutMs: 50 * unitMs })
    await registry.set('a', ['hello'])
    await harness.advance(3 * unitMs)
    await registry.touch('a')
    await harness.advance(2 * unitMs)
    const session = await registry.peek('a')

    expect(session?.id).toBe('a')
    expect(session?.value).toEqual(['hello'])
    expect(session?.timeoutMs).toBe(50 * unitMs)
    expect(session?.held).toBe(false)
    expect(session?.ageMs).toBeGreaterThanOrEqual(5 * unitMs)
    expect(session?.idleMs).toBeGreaterThanOrEqual(2 * unitMs - harness.latenessMs)
    expect(session?.idleMs).toBeLessThan(4 * unitMs)
    expect((session?.lastActiveAt ?? 0) - (session?.createdAt ?? 0)).toBeGreaterThanOrEqual(2 * unitMs)
    expect(await registry.peek('b')).toBeUndefined()
  })

  it('delete: ends a session at once, and reports whether there was one', async () => {
    const registry = await harness.make({})
    await registry.set('a', [])

    expect(await registry.delete('a')).toBe(true)
    expect(await registry.get('a')).toBeUndefined()
    expect(await registry.delete('a')).toBe(false)
    expect(await registry.delete('b')).toBe(false)
  })

  it('clear: ends all sessions, and returns their number', async () => {
    const registry = await harness.make({})
    for (const id of ['a', 'b', 'c']) await registry.set(id, [])

    expect(await registry.clear()).toBe(3)
    expect(await harness.size(registry)).toBe(0)
    expect(await registry.get('a')).toBeUndefined()
    expect(await registry.clear()).toBe(0)
  })

  it('size: counts the sessions', async () => {
    const registry = await harness.make({})
    expect(await harness.size(registry)).toBe(0)
    await registry.set('a', [])
    await registry.set('b', [])
    expect(await harness.size(registry)).toBe(2)
    await registry.delete('a')
    expect(await harness.size(registry)).toBe(1)
  })

  it.each(['__proto__', 'constructor', 'with spaces\nand lines', '👩‍👩‍👧', 'x'.repeat(1024), '{}', ':*?[a]'])(
    'ids: %j is an ordinary one',
    async (id) => {
      const registry = await harness.make({})
      expect(await registry.has(id)).toBe(false)
      await registry.set(id, ['mine'])
      await registry.set('other', ['other'])

      expect(await registry.get(id)).toEqual(['mine'])
      expect((await registry.peek(id))?.id).toBe(id)
      expect(await registry.delete(id)).toBe(true)
      expect(await registry.get('other')).toEqual(['other'])
    },
  )

  describeReplacing(harness)

  it('stats: count what the registry does', async () => {
    const registry = await harness.make({ create: () => [] })
    await registry.getOrCreate('a')
    await registry.getOrCreate('a')
    await registry.get('a')
    await registry.get('b')
    await registry.open('a')
    await registry.run('a', () => {})
    await registry.delete('a')
    const { created, deleted, hits, misses, turns, expired } = await registry.stats()

    expect({ created, deleted, turns, expired }).toEqual({ created: 1, deleted: 1, turns: 1, expired: 0 })
    expect(hits).toBeGreaterThanOrEqual(3)
    expect(misses).toBeGreaterThanOrEqual(2)
  })
}

function describeReplacing(harness: ContractHarness): void {
  const { unitMs } = harness

  it('set on a live id: the session lives on without an event, and its idle time restarts', async () => {
    const registry = await harness.make({ timeoutMs: 50 * unitMs })
    const lines = record(registry)
    await registry.set('a', ['old'])
    const incarnation = (await registry.peek('a'))?.incarnation
    await harness.advance(5 * unitMs)
    await registry.set('a', ['new'], { timeoutMs: 7 * unitMs })
    const session = await registry.peek('a')

    expect(session).toMatchObject({ value: ['new'], incarnation, timeoutMs: 50 * unitMs })
    expect(session?.ageMs).toBeGreaterThanOrEqual(5 * unitMs)
    expect(session?.idleMs).toBeLessThan(3 * unitMs)
    await eventually(harness, () => expect(lines).toEqual(['created a']))
  })

  it('set inside a turn of the id: the turn continues with the new value', async () => {
    const registry = await harness.make({ create: () => ['old'] })
    const seen = await registry.run('a', async (session, signal) => {
      await registry.set('a', ['new'])
      return { value: session.value, isAborted: signal.aborted }
    })

    expect(seen).toEqual({ value: ['new'], isAborted: false })
    expect(await registry.get('a')).toEqual(['new'])
  })

  it('replace: ends a live session, and creates another with its own timeout', async () => {
    const registry = await harness.make({ timeoutMs: 50 * unitMs })
    const lines = record(registry)
    await registry.set('a', ['old'])
    const incarnation = (await registry.peek('a'))?.incarnation
    await registry.replace('a', ['new'], { timeoutMs: 70 * unitMs })
    const session = await registry.peek('a')

    expect(session).toMatchObject({ value: ['new'], timeoutMs: 70 * unitMs })
    expect(session?.incarnation).not.toBe(incarnation)
    expect(await harness.size(registry)).toBe(1)
    await eventually(harness, () => expect(lines).toEqual(['created a', 'ended a replaced', 'created a']))
  })

  it('replace: creates a session if there is none', async () => {
    const registry = await harness.make({})
    const lines = record(registry)
    await registry.replace('a', ['new'])

    expect(await registry.get('a')).toEqual(['new'])
    await eventually(harness, () => expect(lines).toEqual(['created a']))
  })
}
