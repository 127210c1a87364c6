import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { EventRecorder } from '../../support/event-recorder.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { observe } from '../../support/observed-promise.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const soon = { timeout: 10_000, interval: 10 }

describeOnRedis('a value returned by the registry on Redis', (redis) => {
  const make = (options = {}) =>
    testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [], ...options })

  it('is a copy: a change outside a turn is stored nowhere', async () => {
    const registry = await make()
    const created = await registry.getOrCreate('a', () => ['kept'])
    created.push('lost')
    const peeked = await registry.peek('a')
    peeked?.value.push('lost')
    if (peeked !== undefined) peeked.timeoutMs = 5
    for await (const session of registry.sessions()) session.value = ['lost']

    expect(await registry.get('a')).toEqual(['kept'])
    expect((await registry.peek('a'))?.timeoutMs).toBe(1_200_000)
  })

  it('inside a turn: is that of the turn, for every member', async () => {
    const registry = await make()
    await registry.run('a', async (session) => {
      session.value.push('inside')
      expect(await registry.get('a')).toBe(session.value)
      expect(await registry.getOrCreate('a')).toBe(session.value)
      expect(await registry.open('a')).toBe(session.value)
      expect(await registry.peek('a')).toBe(session)
      expect(await registry.touch('a')).toBe(true)
      expect(await registry.has('a')).toBe(true)
      expect(await registry.get('b')).toBeUndefined()
    })
  })

  it('outside a running turn: is not that of the turn before its save', async () => {
    const registry = await make()
    const [changed, goOn] = [deferred(), deferred()]
    const turn = registry.run('a', async (session) => {
      session.value.push('soon')
      changed.resolve()
      await goOn.promise
    })
    await changed.promise
    expect(await registry.get('a')).toEqual([])
    expect(await registry.run('a', ({ value }) => value, { whenBusy: 'join' })).toEqual([])
    goOn.resolve()
    await turn

    expect(await registry.get('a')).toEqual(['soon'])
  })

  it('is not changed by a turn that rejects', async () => {
    const registry = await make()
    await failureOf(() =>
      registry.run('a', (session) => {
        session.value.push('lost')
        session.timeoutMs = 5
        throw new Error('the model is overloaded')
      }),
    )

    expect(await registry.get('a')).toEqual([])
    expect((await registry.peek('a'))?.timeoutMs).toBe(1_200_000)
  })

  it('may be changed by a joined turn if no other call holds the session, and by no other joined turn', async () => {
    const registry = await make()
    await registry.run('a', (session) => session.value.push('alone'), { whenBusy: 'join' })
    expect(await registry.get('a')).toEqual(['alone'])
    const [joined, goOn] = [deferred(), deferred()]
    const beside = observe(
      registry.run(
        'a',
        async (session) => {
          session.value.push('late')
          joined.resolve()
          await goOn.promise
        },
        { whenBusy: 'join' },
      ),
    )
    await joined.promise
    await registry.run('a', (session) => session.value.push('saved'))
    goOn.resolve()
    await beside.settled

    expect(beside.error).toEqual(sessionError('ERR_SESSION_LOCK_LOST'))
    expect(await registry.get('a')).toEqual(['alone', 'saved'])
    expect((await registry.peek('a'))?.held).toBe(false)
  })

  it('inside a turn whose session was replaced: is that of the ended session', async () => {
    const registry = await make()
    const events = new EventRecorder<string[]>(registry)
    const turn = observe(
      registry.run('a', async (session, signal) => {
        session.value.push('old')
        await registry.replace('a', ['new'])
        expect(signal.reason).toEqual(sessionError('ERR_SESSION_ENDED'))
      }),
    )
    await turn.settled

    expect(turn.error).toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(await registry.get('a')).toEqual(['new'])
    expect(events.lines).toEqual(['created a', 'ended a replaced', 'created a'])
  })

  it('in the archive hook of its id: is absent, and the hook may not open it', async () => {
    const seen: unknown[] = []
    const registry = await make({
      timeoutMs: 50,
      archive: async ({ id }: { readonly id: string }) => {
        seen.push(await registry.get(id), await registry.has(id))
        seen.push(await failureOf(() => registry.open(id)))
        seen.push(await failureOf(() => registry.run(id, () => {})))
      },
    })
    await registry.set('a', [])
    await expect.poll(() => seen.length, soon).toBe(4)

    const reentrant = sessionError('ERR_SESSION_REENTRANT')
    expect(seen).toEqual([undefined, false, reentrant, reentrant])
  })

  it('without an archive: ends within a sweep', async () => {
    const registry = await make({ timeoutMs: 50, intervalMs: Number.POSITIVE_INFINITY })
    const events = new EventRecorder<string[]>(registry)
    for (let index = 0; index < 120; index += 1) await registry.set(`visitor-${index}`, [])
    await expect.poll(() => registry.has('visitor-119'), soon).toBe(false)
    expect(await registry.sweep()).toBe(120)

    expect(events.lines.filter((line) => line.startsWith('ended'))).toHaveLength(120)
    expect(await registry.size()).toBe(0)
    await expect.poll(() => events.sweeps.map(({ expired }) => expired), soon).toEqual([120])
    expect((await registry.stats()).lastSweep?.expired).toBe(120)
    expect(await registry.sweep()).toBe(0)
  })

  it('iteration: skips a session that has ended in this process meanwhile', async () => {
    const registry = await make({ shards: 1 })
    for (const id of ['a', 'b', 'c']) await registry.set(id, [id])
    const seen: string[] = []
    for await (const [id] of registry) {
      seen.push(id)
      for (const other of ['a', 'b', 'c']) if (other !== id) await registry.delete(other)
    }

    expect(seen).toHaveLength(1)
  })

  it('dropDead: the process that calls it emits the end', async () => {
    const store = new FakeArchive('failing')
    const registry = await make({ timeoutMs: 50, archiveAttempts: 1, archive: store.archive })
    registry.on('error', () => {})
    const events = new EventRecorder<string[]>(registry)
    await registry.set('a', ['kept'])
    await expect.poll(() => registry.dropDead('a'), soon).toBe(1)

    expect(events.lines).toEqual(['created a', 'ended a deleted'])
    expect(await registry.dropDead('a')).toBe(0)
  })
})
