import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from 'vitest'
import { collectGarbage } from '../../support/collect-garbage.ts'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'

describeOnRedis('a settled run', (redis) => {
  it('is not kept in memory by what was created in it, nor by its signal', async () => {
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    const kept: unknown[] = []
    const run = async () => {
      const inTurn = { history: 'x'.repeat(1_000) }
      const result = { answer: 'x' }
      let value: WeakRef<string[]> | undefined
      await registry.run('a', async (session, signal) => {
        kept.push(AsyncLocalStorage.snapshot(), signal)
        value = new WeakRef(session.value)
        await registry.run('a', () => void kept.push(AsyncLocalStorage.snapshot()))
        session.value.push(inTurn.history)
        return result
      })
      return { inTurn: new WeakRef(inTurn), result: new WeakRef(result), value }
    }
    const objects = await run()
    // The last call has a socket's buffers and a client's promises behind it.
    await registry.has('b')
    await collectGarbage()

    expect(objects.inTurn.deref()).toBeUndefined()
    expect(objects.result.deref()).toBeUndefined()
    expect(objects.value?.deref()).toBeUndefined()
    expect(kept).toHaveLength(3)
  })

  // Until its stack is read, an error keeps the functions that are on it, with what they have captured.
  it('is not kept in memory by an error created in it', async () => {
    const registry = await testRegistry<string[]>(redis, { prefix: uniquePrefix(), create: () => [] })
    const kept: unknown[] = []
    const run = async () => {
      let value: WeakRef<string[]> | undefined
      const turn = registry.run('a', (session) => {
        value = new WeakRef(session.value)
        const error = new Error('the model is overloaded')
        kept.push(error)
        throw error
      })
      await turn.catch(() => {})
      return { value }
    }
    const { value } = await run()
    await registry.has('b')
    await collectGarbage()

    expect(value).toBeDefined()
    expect(value?.deref()).toBeUndefined()
    expect(kept).toHaveLength(1)
  })
})
