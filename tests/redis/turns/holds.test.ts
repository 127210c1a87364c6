import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { type RegistryOptions, testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

const soon = { timeout: 20_000, interval: 10 }

describeOnRedis('a hold', (redis) => {
  async function processes(options: Partial<RegistryOptions<string[]>> = {}) {
    const all = { prefix: uniquePrefix(), shards: 1, create: () => ['new'], ...options }
    const registries = [
      await testRegistry<string[]>(redis, all),
      await testRegistry<string[]>(redis, all),
    ] as const
    const errors: unknown[] = []
    registries[0].on('error', (error) => errors.push(error))
    return { one: registries[0], other: registries[1], errors }
  }

  it('has its session, and prints neither id nor value', async () => {
    const { one } = await processes()
    await one.set('ada@example.org', ['secret'])
    const hold = await one.hold('ada@example.org')

    expect(hold?.session).toMatchObject({ id: 'ada@example.org', value: ['secret'], held: true, idleMs: 0 })
    expect(inspect(hold, { depth: 9, showHidden: false })).toBe('Hold { held: true }')
    await hold?.release()
    await hold?.release()
    expect(inspect(hold)).toBe('Hold { held: false }')
    expect(await one.hold('unknown')).toBeUndefined()
  })

  it('maxMs: outlasts the turn limit, and ends with an error after its own', async () => {
    const { one, other, errors } = await processes({ maxTurnMs: 50 })
    await one.open('a')
    const hold = await one.hold('a', { maxMs: 400 })
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect((await other.peek('a'))?.held).toBe(true)
    expect(errors).toEqual([])

    await expect.poll(async () => (await other.peek('a'))?.held, soon).toBe(false)
    expect(errors).toEqual([sessionError('ERR_SESSION_TURN_TIMEOUT')])
    expect(await hold?.renew()).toBe(false)
    expect((await one.stats()).held).toBe(0)
  })

  it('maxHoldMs: is the default of `maxMs`', async () => {
    const { one, errors } = await processes({ maxHoldMs: 100 })
    await one.open('a')
    await one.hold('a')

    await expect.poll(() => errors, soon).toEqual([sessionError('ERR_SESSION_TURN_TIMEOUT')])
  })

  it('statistics: count held sessions, not holds', async () => {
    const { one } = await processes()
    for (const id of ['a', 'b']) await one.open(id)
    const holds = [await one.hold('a'), await one.hold('a'), await one.hold('b')]
    await one.run('a', async () => expect((await one.stats()).held).toBe(2))
    expect((await one.stats()).held).toBe(2)
    for (const hold of holds) await hold?.release()

    expect((await one.stats()).held).toBe(0)
  })

  it('renew: restarts its time, and reports whether it still holds', async () => {
    const { one, errors } = await processes()
    await one.open('a')
    const hold = await one.hold('a', { maxMs: 300 })
    for (let round = 0; round < 4; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 120))
      expect(await hold?.renew()).toBe(true)
    }
    expect(errors).toEqual([])
    await hold?.release()

    expect(await hold?.renew()).toBe(false)
  })

  it('renew: reports that another process has deleted the session', async () => {
    const { one, other } = await processes()
    await one.open('a')
    const hold = await one.hold('a')
    await other.delete('a')

    expect(await hold?.renew()).toBe(false)
    expect((await one.stats()).held).toBe(0)
    await hold?.release()
  })

  it('lease: is renewed, so that the session outlives its idle timeout for all processes', async () => {
    const { one, other } = await processes({ timeoutMs: 100, leaseMs: 200 })
    await one.open('a')
    const hold = await one.hold('a')
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await other.has('a')).toBe(true)

    await hold?.release()
    await expect.poll(() => other.has('a'), soon).toBe(false)
  })

  it('acquire: opens and holds in one step; with `create: false`, only what is there', async () => {
    const { one, other } = await processes()
    expect(await one.acquire('a', { create: false })).toBeUndefined()
    expect(await one.has('a')).toBe(false)
    const hold = await one.acquire('a')
    expect(hold.session.value).toEqual(['new'])
    expect((await other.peek('a'))?.held).toBe(true)
    const second = await one.acquire('b', { create: (id) => [`made for ${id}`], maxMs: 60_000 })

    expect(second.session.value).toEqual(['made for b'])
    await hold.release()
    await second.release()
    expect((await other.peek('a'))?.held).toBe(false)
  })

  it('acquire: if aborted, rejects with the reason and leaves no hold behind', async () => {
    const answer = deferred<string[]>()
    const { one } = await processes({ load: () => answer.promise })
    const controller = new AbortController()
    const reason = new Error('the visitor went away')
    const acquired = failureOf(() => one.acquire('a', { signal: controller.signal }))
    const others = one.open('a')
    await one.has('a')
    controller.abort(reason)
    expect(await acquired).toBe(reason)
    answer.resolve(['loaded'])

    expect(await others).toEqual(['loaded'])
    expect((await one.peek('a'))?.held).toBe(false)
    expect((await one.stats()).held).toBe(0)
    expect(await failureOf(() => one.acquire('a', { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })

  it('closed registry: acquire is refused, hold finds nothing', async () => {
    const { one } = await processes()
    await one.open('a')
    await one.close()

    expect(await failureOf(() => one.acquire('a'))).toEqual(sessionError('ERR_SESSION_REGISTRY_CLOSED'))
    expect(await one.hold('a')).toBeUndefined()
  })

  it.each([0, -1, Number.NaN, '1'])('maxMs %s: is refused', async (maxMs) => {
    const { one } = await processes()
    const invalid = sessionError('ERR_SESSION_OPTION_INVALID')
    const options = { maxMs } as { maxMs: number }

    expect(await failureOf(() => one.hold('a', options))).toEqual(invalid)
    expect(await failureOf(() => one.acquire('a', options))).toEqual(invalid)
  })
})
