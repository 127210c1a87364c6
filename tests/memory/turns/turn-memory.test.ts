import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { SessionRegistry } from 'session-registry'
import { afterEach, describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { collectGarbage } from '../../support/collect-garbage.ts'
import { settle } from '../../support/settle.ts'

/** What outlives a turn that it was made in, as sockets in a keep-alive pool do. */
const keepers: readonly [name: string, make: () => unknown][] = [
  ['a snapshot', () => AsyncLocalStorage.snapshot()],
  ['a resource', () => new AsyncResource('Socket')],
  ['a timer', () => keepTimer()],
  ['a promise that never settles', () => new Promise(() => {}).then(() => {})],
]

const timers: NodeJS.Timeout[] = []

function keepTimer(): void {
  timers.push(setInterval(() => {}, 60_000))
}

afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer)
})

/** Returns an error that is kept, with all of its stack, as in programs that set `Error.stackTraceLimit`. */
function keptError(kept: unknown[]): Error {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 100
  const error = new Error('the model is overloaded')
  Error.stackTraceLimit = stackTraceLimit
  kept.push(error)
  return error
}

type Objects = Record<string, WeakRef<object>>

async function left(objects: Objects): Promise<string[]> {
  await collectGarbage()
  return Object.keys(objects).filter((name) => objects[name]?.deref() !== undefined)
}

describe('a settled run', () => {
  /** Runs a turn that makes a keeper, and deletes its session. */
  async function runOnce(registry: SessionRegistry<string[]>, kept: unknown[], make: () => unknown) {
    const inTurn = { history: 'x'.repeat(1_000) }
    const value = ['question']
    const result = { answer: 'x' }
    registry.set('a', value)
    await registry.run('a', async (session) => {
      kept.push(make())
      await registry.run('a', async () => void kept.push(make()))
      await settle()
      session.value.push(inTurn.history)
      return result
    })
    registry.delete('a')
    return { inTurn: new WeakRef(inTurn), value: new WeakRef(value), result: new WeakRef(result) }
  }

  it.each(keepers)('is not kept in memory by %s created in it', async (_name, make) => {
    const { registry } = clockedRegistry()
    const kept: unknown[] = []
    const objects = await runOnce(registry, kept, make)

    expect(await left(objects)).toEqual([])
    expect(kept).toHaveLength(2)
  })

  it('does not keep its registry in memory either', async () => {
    const kept: unknown[] = []
    const run = async () => {
      const { registry } = clockedRegistry()
      await runOnce(registry, kept, () => AsyncLocalStorage.snapshot())
      return { registry: new WeakRef(registry) }
    }

    expect(await left(await run())).toEqual([])
  })

  it.each(['settles within its grace', 'settles when it was cut', 'rejects'] as const)(
    'that timed out, and that %s, is not kept by its signal and its listeners',
    async (how) => {
      const { registry, clock } = clockedRegistry({ maxTurnMs: 1_000, turnGraceMs: 500 })
      const kept: unknown[] = []
      const run = async () => {
        const inTurn = { history: 'x'.repeat(1_000) }
        const value = ['question']
        registry.set('a', value)
        const turn = registry.run('a', async (session, signal) => {
          kept.push(signal, AsyncLocalStorage.snapshot())
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          if (how === 'settles when it was cut') {
            await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 600))
          }
          session.value.push(inTurn.history)
          if (how === 'rejects') throw new Error('stopped')
        })
        const caught = turn.catch(() => {})
        await clock.advanceAsync(2_000)
        await caught
        registry.delete('a')
        return { inTurn: new WeakRef(inTurn), value: new WeakRef(value) }
      }

      expect(await left(await run())).toEqual([])
      expect((kept[0] as AbortSignal).aborted).toBe(true)
    },
  )

  it('is not kept by the error with which the end of its session aborted its signal', async () => {
    const { registry } = clockedRegistry()
    const kept: unknown[] = []
    const run = async () => {
      const inTurn = { history: 'x'.repeat(1_000) }
      const value = ['question']
      registry.set('a', value)
      const turn = registry.run('a', async (session, signal) => {
        kept.push(AsyncLocalStorage.snapshot())
        registry.delete('a')
        kept.push(signal.reason)
        await registry.run('a', () => {}).catch((error) => kept.push(error))
        session.value.push(inTurn.history)
      })
      await turn
      return { inTurn: new WeakRef(inTurn), value: new WeakRef(value) }
    }

    expect(await left(await run())).toEqual([])
    expect(kept).toHaveLength(3)
  })

  // Until its stack is read, an error keeps the functions that are on it, with what they have captured.
  it.each(['in memory', 'created', 'loaded'] as const)(
    'of a session that was %s: is not kept by an error created in it',
    async (from) => {
      const load = async () => (from === 'loaded' ? ['answer'] : undefined)
      const { registry } = clockedRegistry(from === 'in memory' ? {} : { load })
      const kept: unknown[] = []
      const run = async () => {
        if (from === 'in memory') registry.set('a', ['question'])
        let value: WeakRef<string[]> | undefined
        const turn = registry.run('a', (session) => {
          value = new WeakRef(session.value)
          throw keptError(kept)
        })
        await turn.catch(() => {})
        registry.delete('a')
        return value === undefined ? {} : { value }
      }
      const objects = await run()

      expect(Object.keys(objects)).toEqual(['value'])
      expect(await left(objects)).toEqual([])
      expect(kept).toHaveLength(1)
    },
  )

  it.each(['read to its end', 'left'] as const)('of a stream that was %s: is not kept by it', async (how) => {
    const { registry } = clockedRegistry()
    const kept: unknown[] = []
    const run = async () => {
      const inTurn = { history: 'x'.repeat(1_000) }
      const value = ['question']
      registry.set('a', value)
      const components = registry.stream('a', async function* (session) {
        kept.push(AsyncLocalStorage.snapshot())
        yield 1
        session.value.push(inTurn.history)
      })
      kept.push(components)
      await components.next()
      await (how === 'left' ? components.return(undefined) : components.next())
      registry.delete('a')
      return { inTurn: new WeakRef(inTurn), value: new WeakRef(value) }
    }

    expect(await left(await run())).toEqual([])
    expect(kept).toHaveLength(2)
  })

  it('does not remain as a link of a chain in which each turn starts the next', async () => {
    const { registry } = clockedRegistry()
    let inLast = (fn: () => Promise<void>) => fn()
    const chain = async (turns: number) => {
      for (let index = 0; index < turns; index += 1) {
        await inLast(() =>
          registry.run('a', () => {
            inLast = AsyncLocalStorage.snapshot()
          }),
        )
      }
      await collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = await chain(1_000)
    const after = await chain(20_000)

    // A link takes a hundred bytes at the least.
    expect(after - before).toBeLessThan(1_000_000)
  })
})
