import { instrument } from 'session-registry/opentelemetry'
import { expect, it, onTestFinished } from 'vitest'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, testProxy, uniquePrefix } from '../support/redis-suite.ts'
import { Telemetry } from '../support/telemetry.ts'

describeOnRedis('instrument on Redis', (redis) => {
  const make = (url: string) =>
    testRegistry<string[]>(
      { url },
      { prefix: uniquePrefix(), name: 'chats', create: () => [], callTimeoutMs: 500 },
    )

  it('has the metrics of a registry in memory, and its spans as parents after round trips', async () => {
    const sessions = await make(redis.url)
    const telemetry = new Telemetry()
    onTestFinished(instrument(sessions, telemetry.providers))
    const { tracer } = telemetry
    const during = await tracer.startActiveSpan('request', async (request) => {
      const points = await sessions.run('ada', async (session) => {
        session.value.push('hello')
        await sessions.has('ada')
        tracer.startSpan('inside').end()
        return telemetry.points('sessions')
      })
      request.end()
      return points
    })
    await sessions.delete('ada')
    const turn = telemetry.spanOf('session turn')

    expect(during.map(({ attributes, value }) => [attributes.state, value])).toEqual([
      ['active', 0],
      ['held', 1],
      ['archiving', 0],
      ['disposing', 0],
    ])
    expect(turn.attributes['gen_ai.conversation.id']).toBe(sessions.ref('ada'))
    expect(turn.parentSpanContext?.spanId).toBe(telemetry.spanOf('request').spanContext().spanId)
    expect(telemetry.spanOf('inside').parentSpanContext?.spanId).toBe(turn.spanContext().spanId)
    expect(await telemetry.recorded('turn.duration')).toMatchObject([{ count: 1 }])
    expect(await telemetry.points('ended')).toMatchObject([{ attributes: { reason: 'deleted' }, value: 1 }])
  })

  it('leaves the gauge out while Redis does not reply, and exports the rest', async () => {
    const proxy = await testProxy(redis.url)
    const sessions = await make(proxy.url)
    const telemetry = new Telemetry()
    onTestFinished(instrument(sessions, telemetry.providers))
    await sessions.run('ada', () => {})
    proxy.goDeaf()

    expect(await telemetry.points('sessions')).toEqual([])
    expect(await telemetry.points('created')).toMatchObject([{ value: 1 }])
    expect(await sessions.run('ada', () => {}).catch((error) => error.code)).toBe(
      'ERR_SESSION_BACKEND_UNAVAILABLE',
    )
    proxy.heal()
    await expect.poll(async () => (await telemetry.points('sessions')).length, { timeout: 5_000 }).toBe(4)
    await sessions.clear()
  })
})
