import type { RedisClientType } from 'redis'
import { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import type { Script } from '../../../src/redis/client/script.ts'
import { acquire } from '../../../src/redis/scripts/acquire.lua.ts'
import { assign } from '../../../src/redis/scripts/assign.lua.ts'
import { commit } from '../../../src/redis/scripts/commit.lua.ts'
import { create } from '../../../src/redis/scripts/create.lua.ts'
import { replace } from '../../../src/redis/scripts/replace.lua.ts'
import { EventRecorder } from '../../support/event-recorder.ts'
import { observe } from '../../support/observed-promise.ts'
import { administrator } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testClient, testProxy, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

type Call = { readonly keys: string[]; readonly arguments: string[] }

const notOwner = sessionError('ERR_SESSION_NOT_OWNER')
const generous = { timeout: 30_000 }

/** Long before a lease lapses. */
const atOnce = { timeout: 10_000, interval: 20 }

const options = { shards: 1, timeoutMs: 60_000, intervalMs: Number.POSITIVE_INFINITY, create: () => ['new'] }

const say = (word: string) => (session: { value: string[] }) => session.value.push(word)

describeOnRedis('a call for an owner whose reply is lost', (redis) => {
  /** A registry that loses the next reply of a script once, after `meanwhile`. */
  async function losing() {
    const prefix = uniquePrefix()
    const real = (await testClient('redis', redis.url)) as unknown as RedisClientType
    let next: { readonly script: Script; readonly meanwhile: () => Promise<unknown> } | undefined
    const call = (name: 'eval' | 'evalSha') => async (what: string, args: Call) => {
      const reply = await real[name](what, args)
      if (next === undefined || (what !== next.script.sha && what !== next.script.source)) return reply
      const { meanwhile } = next
      next = undefined
      await meanwhile()
      throw new Error('Socket closed unexpectedly')
    }
    const client = { eval: call('eval'), evalSha: call('evalSha') } as never
    const registry = new RedisSessionRegistry<string[]>({ ...options, client, prefix })
    onTestFinished(async () => {
      await registry.close({ deadlineMs: 1 })
    })
    const other = await testRegistry<string[]>(redis, { ...options, prefix })
    // The server has the scripts by then.
    await registry.run('warm', say('up'))
    await registry.set('warm', [])
    await registry.replace('warm', [])
    const giveToBob = () =>
      other.run(
        'a',
        (session) => {
          session.owner = 'bob'
        },
        { whenBusy: 'join' },
      )
    return {
      registry,
      other,
      events: new EventRecorder<string[]>(registry),
      /** The session is given to another owner before the call is repeated. */
      loseReply: (script: Script) => {
        next = { script, meanwhile: giveToBob }
      },
    }
  }

  it('is carried out once: `set` of a live session', async () => {
    const { registry, other, loseReply } = await losing()
    await other.set('a', ['old'], { owner: 'ada' })
    loseReply(assign)
    await registry.set('a', ['set'], { owner: 'ada' })

    expect(await other.peek('a')).toMatchObject({ value: ['set'], owner: 'bob' })
  })

  it.each(['set', 'replace', 'getOrCreate', 'open', 'run'] as const)(
    'creates its session once: %s',
    async (name) => {
      const { registry, other, events, loseReply } = await losing()
      loseReply(name === 'set' ? assign : name === 'replace' ? replace : create)
      if (name === 'set' || name === 'replace') await registry[name]('a', ['new'], { owner: 'ada' })
      else if (name === 'getOrCreate') await registry.getOrCreate('a', undefined, { owner: 'ada' })
      else if (name === 'open') await registry.open('a', { owner: 'ada' })
      else await registry.run('a', () => {}, { owner: 'ada' })

      expect(events.lines).toEqual(['created a'])
      expect(await other.peek('a')).toMatchObject({ value: ['new'], owner: 'bob' })
    },
  )

  it('ends the session that it replaces once', async () => {
    const { registry, other, events, loseReply } = await losing()
    await other.set('a', ['old'], { owner: 'ada' })
    loseReply(replace)
    await registry.replace('a', ['new'], { owner: 'ada' })

    expect(events.lines).toEqual(['ended a replaced', 'created a'])
    expect(await other.peek('a')).toMatchObject({ value: ['new'], owner: 'bob' })
  })

  it('saves an assigned owner once', async () => {
    const { registry, other, loseReply } = await losing()
    await other.set('a', ['old'], { owner: 'ada' })
    loseReply(commit)
    await registry.run(
      'a',
      (session) => {
        session.owner = 'cleo'
        session.value.push('said')
      },
      { owner: 'ada' },
    )

    expect(await other.peek('a')).toMatchObject({ value: ['old', 'said'], owner: 'bob' })
  })

  it('leaves no lock if the session is another’s by the time of the repeat', generous, async () => {
    const { registry, other, loseReply } = await losing()
    await other.set('a', ['old'], { owner: 'ada' })
    loseReply(acquire)

    expect(await failureOf(() => registry.run('a', say('no'), { owner: 'ada' }))).toEqual(notOwner)
    const next = observe(other.run('a', say('said'), { owner: 'bob' }))
    await expect.poll(() => next.state, atOnce).toBe('fulfilled')
    expect(await other.get('a')).toEqual(['old', 'said'])
  })
})

describeOnRedis('a lock whose call was abandoned, with an owner', (redis) => {
  it('is released by the next turn of the process, which is another owner’s', generous, async () => {
    const prefix = uniquePrefix()
    const proxy = await testProxy(redis.url)
    const shared = { ...options, prefix, timeoutMs: 20_000, callTimeoutMs: 500, leaseMs: 60_000 }
    const registry = await testRegistry<string[]>(proxy, shared)
    const other = await testRegistry<string[]>(redis, shared)
    const admin = await administrator(redis)
    await registry.run('a', say('said'), { owner: 'ada' })
    proxy.swallowAnswers()
    expect(await failureOf(() => registry.run('a', say('no'), { owner: 'ada' }))).toEqual(
      sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'),
    )
    proxy.heal()
    await waitUntil(async () => (await registry.get('a').catch(() => undefined)) !== undefined)
    const key = `{${prefix}:0}:s:a`
    expect(await admin.hExists(key, 'lo')).toBe(1)
    const { e: lockedUntil } = await admin.hGetAll(key)

    expect(await failureOf(() => registry.run('a', say('no'), { owner: 'bob' }))).toEqual(notOwner)
    const { lo, lu, e: deadline } = await admin.hGetAll(key)
    expect([lo, lu]).toEqual([undefined, undefined])
    // The end of the lease was later than the idle timeout.
    expect(Number(deadline)).toBeLessThan(Number(lockedUntil))
    expect(await other.run('a', ({ value }) => [...value], { owner: 'ada', whenBusy: 'reject' })).toEqual([
      'new',
      'said',
    ])
  })
})
