import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { RedisSessionRegistry } from 'session-registry/redis'
import { expect, it } from 'vitest'
import { collectGarbage } from '../support/collect-garbage.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../support/redis-suite.ts'

interface History {
  readonly said: string[]
}

/** What outlives a turn that it was made in, as sockets in a keep-alive pool do. */
const keepers: readonly [name: string, make: () => unknown][] = [
  ['a snapshot', () => AsyncLocalStorage.snapshot()],
  ['a resource', () => new AsyncResource('Socket')],
  ['a promise that never settles', () => new Promise(() => {}).then(() => {})],
]

describeOnRedis('a settled run', (redis) => {
  const make = (options: object = {}) =>
    testRegistry<History>(redis, { prefix: uniquePrefix(), create: () => ({ said: [] }), ...options })

  async function left(objects: Readonly<Record<string, WeakRef<object>>>): Promise<string[]> {
    await collectGarbage()
    return Object.keys(objects).filter((name) => objects[name]?.deref() !== undefined)
  }

  async function runOnce(registry: RedisSessionRegistry<History>, kept: unknown[], keep: () => unknown) {
    const seen: Record<string, WeakRef<object>> = {}
    const result = { answer: 'x' }
    for (const whenBusy of ['wait', 'join'] as const) {
      await registry.run(
        'a',
        async (session) => {
          kept.push(keep())
          await registry.run('a', async () => void kept.push(keep()))
          seen[`value (${whenBusy})`] = new WeakRef(session.value)
          seen[`session (${whenBusy})`] = new WeakRef(session)
          return result
        },
        { whenBusy },
      )
    }
    return { ...seen, result: new WeakRef(result) }
  }

  it.each(keepers)('is not kept in memory by %s that was made in it', async (_name, keep) => {
    const registry = await make()
    const kept: unknown[] = []
    const objects = await runOnce(registry, kept, keep)

    expect(await left(objects)).toEqual([])
    expect(kept).toHaveLength(4)
  })

  it.each(['settles in its grace', 'is cut', 'rejects'] as const)(
    'whose time was up, and that %s, is not kept by its signal',
    async (how) => {
      const registry = await make({ maxTurnMs: 50, turnGraceMs: how === 'is cut' ? 50 : 5_000 })
      const kept: unknown[] = []
      const run = async () => {
        const seen = new Map<string, WeakRef<object>>()
        await registry
          .run('a', async (session, signal) => {
            kept.push(signal, AsyncLocalStorage.snapshot())
            seen.set('value', new WeakRef(session.value))
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            if (how === 'is cut') await new Promise((resolve) => setTimeout(resolve, 150))
            if (how === 'rejects') throw new Error('stopped')
          })
          .catch(() => {})
        await new Promise((resolve) => setTimeout(resolve, 200))
        return Object.fromEntries(seen)
      }

      expect(await left(await run())).toEqual([])
      expect(kept).toHaveLength(2)
    },
  )
})
