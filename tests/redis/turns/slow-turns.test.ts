import { expect, it, vi } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

const soon = { timeout: 10_000, interval: 10 }

describeOnRedis('slow turns', (redis) => {
  const prefix = uniquePrefix()
  const make = async () => {
    const logger = new RecordingLogger()
    const options = { prefix, create: () => [], slowTurnMs: 50, logger, logIds: 'plain' } as const
    const registry = await testRegistry<string[]>(redis, options)
    return { registry, messages: () => logger.at('warn').map(({ message }) => message) }
  }

  it('a turn that waits for one of another process: each process tells of its own', async () => {
    const [one, two] = [await make(), await make()]
    const [begun, end] = [deferred(), deferred()]
    const running = observe(
      one.registry.run('a', async () => {
        begun.resolve()
        await end.promise
      }),
    )
    await begun.promise
    const waiting = observe(two.registry.run('a', () => 'next'))
    await vi.waitFor(() => {
      expect([...one.messages(), ...two.messages()]).toHaveLength(2)
    }, soon)
    end.resolve()
    await Promise.all([running.settled, waiting.settled])

    expect(one.messages()).toEqual(['turn is still running'])
    expect(two.messages()).toEqual(['turn is still waiting'])
    expect(waiting.value).toBe('next')
  })
})
