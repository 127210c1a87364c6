import type { RedisClientType } from 'redis'
import { RedisSessionRegistry, type RedisSessionRegistryOptions } from 'session-registry/redis'
import { expect, it, onTestFinished } from 'vitest'
import type { Script } from '../../../src/redis/client/script.ts'
import { load } from '../../../src/redis/scripts/load.lua.ts'
import { settle } from '../../../src/redis/scripts/settle.lua.ts'
import { deferred } from '../../support/deferred.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { administrator } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, testClient, uniquePrefix } from '../../support/redis-suite.ts'
import { sessionError } from '../../support/session-error.ts'
import { waitUntil } from '../../support/wait-until.ts'

const generous = { timeout: 30_000 }
const soon = { timeout: 10_000, interval: 10 }

interface Call {
  readonly keys: string[]
  readonly arguments: string[]
}

describeOnRedis('claims of one shard', (redis) => {
  /** Expires sessions, then starts a process that archives them, and records its calls. */
  async function archived(
    values: Readonly<Record<string, string>>,
    options: Partial<RedisSessionRegistryOptions<string[]>>,
    beforeSettle: () => Promise<void> = async () => {},
  ) {
    const prefix = uniquePrefix()
    const shared = { prefix, shards: 1, timeoutMs: 50 }
    const visited = await testRegistry<string[]>(redis, { ...shared, archives: false })
    for (const [id, value] of Object.entries(values)) await visited.set(id, [value])
    for (const id of Object.keys(values)) await waitUntil(async () => !(await visited.has(id)))
    const real = (await testClient('redis', redis.url)) as unknown as RedisClientType
    /** The number of claims of each call. */
    const sizes: { loads: number[]; settlements: number[] } = { loads: [], settlements: [] }
    const call = (name: 'eval' | 'evalSha') => async (what: string, about: Call) => {
      const isOf = ({ sha, source }: Script) => what === sha || (name === 'eval' && what === source)
      const isFirst = name === 'evalSha'
      if (isOf(load) && isFirst) sizes.loads.push((about.keys.length - 5) / 2)
      if (isOf(settle)) {
        if (isFirst) sizes.settlements.push((about.keys.length - 6) / 2)
        await beforeSettle()
      }
      return real[name](what, about)
    }
    const client = { eval: call('eval'), evalSha: call('evalSha') } as never
    const registry = new RedisSessionRegistry<string[]>({ client, ...shared, ...options })
    onTestFinished(async () => {
      await registry.close({ deadlineMs: 1 })
    })
    const errors: unknown[] = []
    const ended: string[] = []
    registry.on('error', (error) => errors.push(error))
    registry.on('ended', ({ id }) => ended.push(id))
    await registry.has('unknown')
    return { prefix, sizes, errors, ended }
  }

  const three = { a: 'x', b: 'x', c: 'x' }

  it('are begun in one call and acknowledged in one, each with its first attempt', generous, async () => {
    const store = new FakeArchive()
    const { sizes, ended, errors } = await archived(three, { archive: store.archive })

    await expect.poll(() => [...ended].sort(), soon).toEqual(['a', 'b', 'c'])
    expect(sizes).toEqual({ loads: [3], settlements: [3] })
    expect(store.calls.map(({ attempt }) => attempt)).toEqual([1, 1, 1])
    expect(errors).toEqual([])
  })

  it('are begun in further calls where their values are large', generous, async () => {
    const store = new FakeArchive()
    const large = 'x'.repeat(600_000)
    const { sizes, ended } = await archived(
      { a: large, b: large, c: large, d: '' },
      { archive: store.archive },
    )

    await expect.poll(() => [...ended].sort(), soon).toEqual(['a', 'b', 'c', 'd'])
    // The second value exceeds 1 MiB.
    expect(sizes.loads).toEqual([4, 2])
    expect(store.calls.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1])
    expect(store.stored.get('c')).toEqual([large])
  })

  it('fail each for itself where another program has damaged one', generous, async () => {
    const admin = await administrator(redis)
    const store = new FakeArchive('manual')
    const { prefix, ended, errors } = await archived(three, { archive: store.archive })
    await expect.poll(() => store.calls.length, soon).toBe(3)
    await admin.set(`{${prefix}:0}:x:b`, 'something else')
    for (const call of store.calls) call.succeed()

    await expect.poll(() => [...ended].sort(), soon).toEqual(['a', 'c'])
    await expect.poll(() => errors, soon).toEqual([sessionError('ERR_SESSION_BACKEND_FAILED')])
    expect(await admin.exists([`{${prefix}:0}:s:a`, `{${prefix}:0}:s:c`])).toBe(0)
  })

  it('end after their acknowledgement, which holds up no other archive', generous, async () => {
    const store = new FakeArchive()
    const gate = deferred()
    const options = { archive: store.archive, archiveConcurrency: 1 }
    const { ended } = await archived({ a: 'x', b: 'x' }, options, () => gate.promise)

    await expect.poll(() => store.calls.length, soon).toBe(2)
    expect(store.mostUnderWay).toBe(1)
    expect(ended).toEqual([])
    gate.resolve()
    await expect.poll(() => [...ended].sort(), soon).toEqual(['a', 'b'])
  })
})
