import { promisify } from 'node:util'
import type { SessionData } from 'express-session'
import { registryStore } from 'session-registry/express-session'
import { expect, it } from 'vitest'
import { startExpress } from '../adapters/web-apps.ts'
import { deferred } from '../support/deferred.ts'
import { FaultStore } from '../support/fault-store.ts'
import { readAll } from '../support/read-all.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../support/redis-suite.ts'
import { sessionError } from '../support/session-error.ts'
import { waitUntil } from '../support/wait-until.ts'

describeOnRedis('express-session on two processes that share one Redis', (redis) => {
  async function startTwo(cookie: { maxAge?: number }) {
    const shared = { prefix: uniquePrefix(), shards: 2, intervalMs: 50 }
    const registries = [
      await testRegistry<SessionData>(redis, shared),
      await testRegistry<SessionData>(redis, shared),
    ] as const
    const ended: string[] = []
    for (const one of registries) one.on('ended', (_session, reason) => ended.push(reason))
    const [first, second] = await Promise.all(
      registries.map(async (one) => (await startExpress(registryStore(one), { cookie, rolling: true }))()),
    )
    if (first === undefined || second === undefined) throw new Error('both were started')
    return { registry: registries[0], ended, first, second }
  }

  it('continues a session in the other process, regenerates and destroys it there', async () => {
    const { registry, ended, first, second } = await startTwo({ maxAge: 60_000 })
    expect((await first('/count')).text).toBe('1')
    second.cookie = first.cookie
    expect((await second('/count')).text).toBe('2')
    expect((await first('/look')).text).toBe('2')
    expect((await second('/regenerate')).text).toBe('1')
    expect((await first('/look')).text).toBe('0')
    expect((await second('/destroy')).text).toBe('0')

    expect(await registry.size()).toBe(0)
    expect(ended).toEqual(['deleted', 'deleted'])
  })

  it('keeps the session for what is left of the cookie, and ends it then', async () => {
    const { registry, ended, first, second } = await startTwo({ maxAge: 60_000 })
    await first('/count')
    const [id = ''] = await readAll(registry.keys())
    const timeoutMs = async () => (await registry.peek(id))?.timeoutMs ?? 0
    expect(await timeoutMs()).toBeGreaterThan(50_000)
    expect(await timeoutMs()).toBeLessThanOrEqual(60_000)
    await first('/short')
    expect(await timeoutMs()).toBeLessThanOrEqual(1_000)
    await waitUntil(() => ended.length > 0)

    expect(ended).toEqual(['idle'])
    second.cookie = first.cookie
    expect((await second('/look')).text).toBe('0')
  })

  it('with `tombstoneMs`, a log-out in the other process is not undone by a request that began before', async () => {
    const shared = { prefix: uniquePrefix(), shards: 2, tombstoneMs: 60_000 }
    const [registry, other] = [
      await testRegistry<SessionData>(redis, shared),
      await testRegistry<SessionData>(redis, shared),
    ]
    let begun = 0
    const finished = deferred()
    const pause = () => {
      begun += 1
      return finished.promise
    }
    const first = (await startExpress(registryStore(registry), {}, pause))()
    const second = (await startExpress(registryStore(other)))()
    await first('/count')
    second.cookie = first.cookie
    const slow = [first('/slow'), first('/slow')]
    await waitUntil(() => begun === 2)
    expect((await second('/destroy')).status).toBe(200)
    finished.resolve()

    expect(await Promise.all(slow)).toMatchObject([{ status: 200 }, { status: 200 }])
    expect(await registry.size()).toBe(0)
    expect((await first('/count')).text).toBe('1')
    expect(await registry.size()).toBe(1)
  })

  it('with a store: a log-out is answered when the store has deleted the session', async () => {
    const store = new FaultStore()
    const shared = { prefix: uniquePrefix(), shards: 2, store, tombstoneMs: 60_000 }
    const registry = await testRegistry<SessionData>(redis, shared)
    const visit = (await startExpress(registryStore(registry)))()
    await visit('/count')
    for await (const id of registry.keys()) await registry.save(id)
    expect(store.size).toBe(1)
    const deletion = store.gateNext('delete')
    let isAnswered = false
    const leaving = visit('/destroy').then((page) => {
      isAnswered = true
      return page
    })
    await deletion.begun
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(isAnswered).toBe(false)
    deletion.end.resolve()
    expect((await leaving).status).toBe(200)

    expect(store.size).toBe(0)
  })

  it('with a store: a log-out inside a turn of the session waits for the store, too', async () => {
    const store = new FaultStore()
    const shared = { prefix: uniquePrefix(), shards: 2, store }
    const registry = await testRegistry<SessionData>(redis, shared)
    const destroy = promisify<string, void>((id, done) => registryStore(registry).destroy(id, done))
    await registry.run('a', () => {}, { create: () => ({ cookie: { originalMaxAge: null } }) })
    await registry.save('a')
    let left: number | undefined
    const turn = registry.run('a', async () => {
      await destroy('a')
      left = store.size
    })

    await expect(turn).rejects.toEqual(sessionError('ERR_SESSION_ENDED'))
    expect(left).toBe(0)
  })

  it('with a store that is away: a log-out is answered with 503, and undone by no request', async () => {
    const store = new FaultStore()
    const shared = { prefix: uniquePrefix(), shards: 2, store, tombstoneMs: 60_000 }
    const registry = await testRegistry<SessionData>(redis, shared)
    registry.on('error', () => {})
    const visit = (await startExpress(registryStore(registry)))()
    await visit('/count')
    for await (const id of registry.keys()) await registry.save(id)
    store.isBroken = true
    expect(await visit('/destroy')).toEqual({ status: 503, text: 'ERR_SESSION_STORE_FAILED' })
    store.isBroken = false
    // It hurries the deletion, and waits for it.
    expect((await visit('/look')).text).toBe('0')

    expect(store.size).toBe(0)
  })

  it('reads beside each other, each with the expiry: none fails', async () => {
    const { first, second } = await startTwo({ maxAge: 60_000 })
    await first('/count')
    second.cookie = first.cookie
    const pages = await Promise.all([first, second, first, second, first].map((visit) => visit('/look')))

    expect(pages).toEqual(pages.map(() => ({ status: 200, text: '1' })))
  })
})
