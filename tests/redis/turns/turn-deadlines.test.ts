import { expect, it } from 'vitest'
import { administrator } from '../../support/redis-keys.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const timeoutMs = 1_280_000

/** A hundred-and-twenty-eighth of the timeout, at most a second. */
const lagMs = 1_000

describeOnRedis('the deadline of a session after a turn', (redis) => {
  /** A session that was last active `agoMs` ago, by the fields that the server has of it. */
  async function sessionActive(agoMs: number) {
    const prefix = uniquePrefix()
    const options = { prefix, shards: 1, timeoutMs, intervalMs: Number.POSITIVE_INFINITY }
    const registry = await testRegistry<string[]>(redis, options)
    await registry.set('a', ['hello'])
    const admin = await administrator(redis)
    const keys = await admin.keys(`*${prefix}*`)
    const types = await Promise.all(keys.map(async (key) => [key, await admin.type(key)] as const))
    const hashes = types.filter(([, type]) => type === 'hash').map(([key]) => key)
    const sets = types.filter(([, type]) => type === 'zset').map(([key]) => key)
    const [session = ''] = await only(hashes, async (key) => (await admin.hExists(key, 'g')) === 1)
    const incarnation = await admin.hGet(session, 'g')
    const member = `${incarnation}:a`
    const [deadlines = ''] = await only(sets, async (key) => (await admin.zScore(key, member)) !== null)
    const serverNow = async () => {
      const [seconds, microseconds] = await admin.time()
      return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000)
    }
    const lastActiveAt = (await serverNow()) - agoMs
    const expiresAt = lastActiveAt + timeoutMs + lagMs
    await admin.hSet(session, { a: String(lastActiveAt), e: String(expiresAt) })
    await admin.zAdd(deadlines, { score: expiresAt, value: member })
    const deadline = async () => {
      const score = await admin.zScore(deadlines, member)
      expect(await admin.hGet(session, 'e')).toBe(String(score))
      return Number(score)
    }
    return { registry, expiresAt, deadline, serverNow }
  }

  it('stays where it is if the activity is not due to be written', async () => {
    // A machine may take any time: the activity lies ahead.
    const { registry, expiresAt, deadline } = await sessionActive(-3_600_000)
    await registry.run('a', ({ value }) => value.push('again'))

    expect(await deadline()).toBe(expiresAt)
    expect(await registry.get('a')).toEqual(['hello', 'again'])
  })

  it('is never earlier than the timeout after the end of the turn', async () => {
    const { registry, expiresAt, deadline, serverNow } = await sessionActive(lagMs)
    const before = await serverNow()
    await registry.run('a', ({ value }) => value.length)

    expect(await deadline()).toBeGreaterThan(expiresAt)
    expect(await deadline()).toBeGreaterThanOrEqual(before + timeoutMs)
    expect(await deadline()).toBeLessThanOrEqual((await serverNow()) + timeoutMs + lagMs)
  })
})

async function only<T>(all: readonly T[], matches: (one: T) => Promise<boolean>): Promise<T[]> {
  const found = await Promise.all(all.map(matches))
  return all.filter((_one, index) => found[index])
}
