import { register } from 'prom-client'
import { expect, it } from 'vitest'
import { exportGauges } from '../../examples/metrics/redis-gauges.ts'
import { RedisSessionRegistry } from '../../src/redis/index.ts'
import { deferred } from '../support/deferred.ts'
import { describeOnRedis, testClient, testProxy, uniquePrefix } from '../support/redis-suite.ts'

describeOnRedis('examples/metrics/redis-gauges.ts', (redis) => {
  it('exports the sessions of all processes, the work of this one, and no old figure', async () => {
    const proxy = await testProxy(redis.url)
    const client = await testClient('redis', proxy.url)
    const other = await testClient('redis', redis.url)
    const options = { prefix: uniquePrefix(), create: (): string[] => [] }
    const sessions = new RedisSessionRegistry<string[]>({ ...options, client, callTimeoutMs: 500 })
    const others = new RedisSessionRegistry<string[]>({ ...options, client: other, callTimeoutMs: 500 })
    exportGauges('chats', sessions)
    const [begun, end] = [deferred(), deferred()]
    const turn = sessions.run('ada', () => {
      begun.resolve()
      return end.promise
    })
    await begun.promise
    await others.open('ben')

    expect(await figures()).toEqual([
      'session_registry_size{registry="chats"} 2',
      'session_registry_work{registry="chats",state="held"} 1',
      'session_registry_work{registry="chats",state="running"} 1',
      'session_registry_work{registry="chats",state="waiting"} 0',
      'session_registry_work{registry="chats",state="archiving"} 0',
      'session_registry_ready{registry="chats"} 1',
    ])
    end.resolve()
    await turn
    proxy.goDeaf()

    // The first scrape has to wait until the call fails.
    await figures()
    expect(await figures()).toEqual(['session_registry_ready{registry="chats"} 0'])
    proxy.heal()
    await others.clear()
    await Promise.all([sessions.close(), others.close()])
  })
})

/** The samples of a scrape. */
async function figures(): Promise<string[]> {
  const text = await register.metrics()
  return text.split('\n').filter((line) => line.startsWith('session_registry_'))
}
