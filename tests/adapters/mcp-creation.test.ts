import { SessionRegistry, type SessionSource } from 'session-registry'
import { stateHandles, type ToolContext } from 'session-registry/mcp'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cancelWhenCreated } from '../support/cancelled-creation.ts'
import { type Deferred, deferred } from '../support/deferred.ts'
import { EventRecorder } from '../support/event-recorder.ts'
import { lines } from '../support/mcp-lines.ts'
import { toolsFor } from '../support/mcp-tools.ts'
import { waitUntil } from '../support/wait-until.ts'

const options = { prefix: 'basket_', argument: 'basket_id', owner: () => 'ada' } as const

describe.each(lines)('cancelled creations with $name', (line) => {
  /** Calls a creation tool, cancels the call when `begun` resolves, and waits until the server knows. */
  async function createAndCancel(
    source: SessionSource<string[]>,
    callback: () => Promise<undefined>,
    begun: Deferred<void>,
  ) {
    const cancelled = deferred()
    let outcome: 'pending' | 'answered' | 'rejected' = 'pending'
    const call = await toolsFor(line, 'ada', (server) => {
      const create = stateHandles(source, options).create<object, ToolContext>(callback)
      server.registerTool(
        'create',
        { inputSchema: z.object({}) },
        async (args: object, context: ToolContext) => {
          const signal = context.mcpReq?.signal ?? context.signal
          signal?.addEventListener('abort', () => cancelled.resolve())
          const creating = create(args, context)
          creating.then(
            () => {
              outcome = 'answered'
            },
            () => {
              outcome = 'rejected'
            },
          )
          return creating
        },
      )
    })
    const cancel = new AbortController()
    const answer = call('create', {}, { signal: cancel.signal }).catch(() => 'cancelled')
    await begun.promise
    cancel.abort(new Error('no longer wanted'))
    expect(await answer).toBe('cancelled')
    await cancelled.promise
    return { settled: () => waitUntil(() => outcome !== 'pending'), outcome: () => outcome }
  }

  it('a callback that ignores its signal: its session is deleted, at the limit of an owner too', async () => {
    const baskets = new SessionRegistry<string[]>({ create: () => [], maxPerOwner: 1 })
    const events = new EventRecorder(baskets)
    for (let count = 1; count <= 2; count += 1) {
      const [begun, finished] = [deferred(), deferred()]
      const callback = async () => {
        begun.resolve()
        await finished.promise
        return undefined
      }
      const creation = await createAndCancel(baskets, callback, begun)
      finished.resolve()
      await creation.settled()

      expect(creation.outcome()).toBe('rejected')
      expect(baskets.size).toBe(0)
      expect(events.lines.filter((one) => one.endsWith(' deleted'))).toHaveLength(count)
    }
  })

  it('while `create` of the registry makes the value: no session is left', async () => {
    const [begun, finished] = [deferred(), deferred()]
    const baskets = new SessionRegistry<string[]>({
      create: async () => {
        begun.resolve()
        await finished.promise
        return []
      },
    })
    const creation = await createAndCancel(baskets, async () => undefined, begun)
    finished.resolve()
    await creation.settled()
    await baskets.settled()

    expect(creation.outcome()).toBe('rejected')
    expect(baskets.size).toBe(0)
  })
})

describe('a creation that is cancelled before its turn begins', () => {
  it('leaves no session in memory', async () => {
    const baskets = new SessionRegistry<string[]>({ create: () => [] })
    await cancelWhenCreated(baskets, (cancel) => baskets.on('created', cancel))

    expect(baskets.stats()).toMatchObject({ created: 1, size: 0 })
  })
})
