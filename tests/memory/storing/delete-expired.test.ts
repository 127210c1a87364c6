import type { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { observe } from '../../support/observed-promise.ts'
import { settle } from '../../support/settle.ts'
import { say, storedRegistry } from '../../support/stored-registry.ts'

type Options = Parameters<typeof storedRegistry>[0]
type Delete = (registry: SessionRegistry<string[]>, id: string) => unknown

const deletions: Readonly<Record<string, Delete>> = {
  delete: (registry, id) => registry.delete(id),
  forget: (registry, id) => registry.forget(id),
}

/** A registry whose sessions are deleted from the store as they expire. */
function deleting(deleteIt: Delete, options: Options = {}) {
  const stored = storedRegistry({ timeoutMs: 1_000, ...options })
  const { registry } = stored
  registry.on('expired', ({ id }) => deleteIt(registry, id))
  return stored
}

/** Says something, and returns what the session had before. */
async function sayAfter(registry: SessionRegistry<string[]>, message: string): Promise<string[]> {
  return registry.run('ada', ({ value }) => {
    const before = [...value]
    value.push(message)
    return before
  })
}

describe.each(Object.entries(deletions))('`%s` in a listener of `expired`', (_, deleteIt) => {
  it('deletes the session in the store, exactly when it expires', async () => {
    const { registry, store, clock, events, errors } = deleting(deleteIt)
    await say(registry, 'ada', 'one')
    clock.advance(999)
    registry.sweep()
    await settle()
    expect(store.size).toBe(1)
    clock.advance(1)
    registry.sweep()
    await settle()

    expect(store.size).toBe(0)
    expect(await registry.open('ada', { create: false })).toBe(undefined)
    expect(events.take()).toEqual(['created ada', 'expired ada idle', 'ended ada idle'])
    expect(errors).toEqual([])
  })

  describe.each([
    ['is in the store as it is', false],
    ['has changed since its last save', true],
  ])('a session that %s', (_title, isChanged) => {
    /** The session has just expired. */
    async function expired(options: Options = {}) {
      const stored = deleting(deleteIt, options)
      await say(stored.registry, 'ada', 'one')
      if (isChanged) stored.registry.get('ada')?.push('unsaved')
      stored.clock.advance(1_000)
      return stored
    }

    it('a `run` in the instant of the expiry, before any sweep, begins anew', async () => {
      const { registry, store, errors } = await expired()

      expect(await sayAfter(registry, 'new')).toEqual([])
      expect(store.value('ada')).toEqual(['new'])
      expect(await sayAfter(registry, 'newer')).toEqual(['new'])
      expect(errors).toEqual([])
    })

    it('a `run` right after the sweep begins anew', async () => {
      const { registry, store, errors } = await expired()
      registry.sweep()

      expect(await sayAfter(registry, 'new')).toEqual([])
      expect(store.value('ada')).toEqual(['new'])
      expect(errors).toEqual([])
    })

    it('a `run` right before the sweep begins anew', async () => {
      const { registry, store } = await expired()
      const run = sayAfter(registry, 'new')
      registry.sweep()

      expect(await run).toEqual([])
      expect(store.value('ada')).toEqual(['new'])
    })

    it('a `run` of a listener of `expired` that was added earlier begins anew', async () => {
      const { registry, store } = await expired()
      let run: Promise<string[]> | undefined
      registry.prependListener('expired', () => {
        run = sayAfter(registry, 'new')
      })
      registry.sweep()
      await settle()

      expect(await run).toEqual([])
      expect(store.value('ada')).toEqual(['new'])
    })

    it('a `run` of a listener of `ended` begins anew', async () => {
      const { registry, store } = await expired()
      let run: Promise<string[]> | undefined
      registry.once('ended', () => {
        run = sayAfter(registry, 'new')
      })
      registry.sweep()
      await settle()

      expect(await run).toEqual([])
      expect(store.value('ada')).toEqual(['new'])
    })

    it('a `run` during the deletion waits for it, and begins anew', async () => {
      const { registry, store } = await expired()
      const deletion = store.gateNext('delete')
      registry.sweep()
      await deletion.begun
      const run = observe(sayAfter(registry, 'new'))
      await settle()
      expect(run.state).toBe('pending')
      deletion.end.resolve()
      await run.settled

      expect(run.value).toEqual([])
      expect(store.value('ada')).toEqual(['new'])
    })

    it('a `run` while the deletion fails waits until it succeeds, and begins anew', async () => {
      const { registry, store, clock } = await expired()
      store.failNext('delete', 3)
      registry.sweep()
      await settle()
      const run = observe(sayAfter(registry, 'new'))
      while (run.state === 'pending') await clock.advanceAsync(10)

      expect(run.value).toEqual([])
      expect(store.value('ada')).toEqual(['new'])
    })

    it('`open` with `create: false` in the instant of the expiry finds nothing', async () => {
      const { registry } = await expired()

      expect(await registry.open('ada', { create: false })).toBe(undefined)
    })

    it('a `stream` in the instant of the expiry begins anew', async () => {
      const { registry } = await expired()
      const seen: string[] = []
      for await (const count of registry.stream('ada', async function* ({ value }) {
        yield `${value.length}`
      }))
        seen.push(count)

      expect(seen).toEqual(['0'])
    })

    it('`close` in the instant of the expiry deletes it too', async () => {
      const { registry, store, errors } = await expired()
      const { failed } = await registry.close()

      expect(failed).toEqual([])
      expect(store.size).toBe(0)
      expect(errors).toEqual([])
    })
  })

  it('a `run` during the last write of an expired session waits, and begins anew', async () => {
    const { registry, store, clock } = deleting(deleteIt)
    await say(registry, 'ada', 'one')
    registry.get('ada')?.push('unsaved')
    clock.advance(1_000)
    const put = store.gateNext('put')
    registry.sweep()
    await put.begun
    const run = observe(sayAfter(registry, 'new'))
    await settle()
    expect(run.state).toBe('pending')
    put.end.resolve()
    await run.settled

    expect(run.value).toEqual([])
    expect(store.value('ada')).toEqual(['new'])
  })

  it('keeps a session that was evicted, which comes back', async () => {
    const { registry, store } = deleting(deleteIt, { maxSessions: 1 })
    await say(registry, 'ada', 'one')
    await say(registry, 'bob', 'one')
    await settle()

    expect(store.value('ada')).toEqual(['one'])
    expect(await sayAfter(registry, 'two')).toEqual(['one'])
  })
})

it('an expiry without such a listener: a `run` in the same instant brings the session back', async () => {
  const { registry, clock } = storedRegistry({ timeoutMs: 1_000 })
  await say(registry, 'ada', 'one')
  clock.advance(1_000)

  expect(await sayAfter(registry, 'two')).toEqual(['one'])
})
