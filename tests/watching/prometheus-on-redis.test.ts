import { Registry } from 'prom-client'
import { collect } from 'session-registry/prometheus'
import { expect, it, onTestFinished } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { samples } from '../support/prometheus-samples.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../support/redis-suite.ts'

describeOnRedis('collect on Redis', (redis) => {
  const make = (url: string, prefix: string) =>
    testRegistry<string[]>({ url }, { prefix, name: 'chats', create: () => [], callTimeoutMs: 500 })

  it('exports the sessions of all processes, and the work and the ends of this one', async () => {
    const prefix = uniquePrefix()
    const [sessions, others] = [await make(redis.url, prefix), await make(redis.url, prefix)]
    const register = new Registry()
    onTestFinished(collect(sessions, { register }))
    const [begun, end] = [deferred(), deferred()]
    const turn = sessions.run('ada', () => {
      begun.resolve()
      return end.promise
    })
    await begun.promise
    for (const id of ['ben', 'eve']) await others.open(id)
    await others.delete('eve')

    expect(await samples(register, 'redis', 'sessions', 'turns_running', 'ready', 'created')).toEqual([
      'sessions{registry="chats",state="active"} 1',
      'sessions{registry="chats",state="held"} 1',
      'sessions{registry="chats",state="archiving"} 0',
      'sessions{registry="chats",state="disposing"} 0',
      'turns_running{registry="chats"} 1',
      'redis_sessions{registry="chats"} 2',
      'redis_dead_sessions{registry="chats"} 0',
      'ready{registry="chats"} 1',
      'created_total{registry="chats"} 1',
    ])
    end.resolve()
    await turn
    await sessions.delete('ada')

    expect(
      await samples(register, 'turn_duration_seconds_count', 'ended_total{registry="chats",reason="deleted"'),
    ).toEqual([
      'ended_total{registry="chats",reason="deleted"} 1',
      'turn_duration_seconds_count{registry="chats"} 1',
    ])
    await others.clear()
  })

  it('leaves out what cannot be read, keeps what it has counted, and reads again once Redis is back', async () => {
    const proxy = await testProxy(redis.url)
    const sessions = await make(proxy.url, uniquePrefix())
    const register = new Registry()
    onTestFinished(collect(sessions, { register }))
    await sessions.run('ada', () => {})
    proxy.goDeaf()
    // Until the first call has failed, the registry does not know.
    await register.metrics()

    expect(
      await samples(register, 'redis', 'sessions', 'ready', 'created', 'turn_duration_seconds_count'),
    ).toEqual(['ready{registry="chats"} 0', 'turn_duration_seconds_count{registry="chats"} 1'])
    proxy.heal()
    await expect
      .poll(() => samples(register, 'redis_sessions'), { timeout: 5_000 })
      .toEqual(['redis_sessions{registry="chats"} 1'])
    await sessions.clear()
  })

  it('shows nothing of a registry that is closed but what it has counted', async () => {
    const sessions = await make(redis.url, uniquePrefix())
    const register = new Registry()
    onTestFinished(collect(sessions, { register }))
    await sessions.open('ada')
    await sessions.clear()
    await sessions.close()

    expect(await samples(register, 'redis', 'sessions', 'ready', 'created')).toEqual([
      'created_total{registry="chats"} 1',
    ])
  })
})
