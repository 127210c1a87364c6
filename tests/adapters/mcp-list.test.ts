import { SessionRegistry } from 'session-registry'
import { stateHandles } from 'session-registry/mcp'
import { describe, expect, it } from 'vitest'
import { countIterations } from '../support/loop-iterations.ts'
import { failureOf } from '../support/session-error.ts'

describe('state handles: a list of many', () => {
  function setUp(count: number) {
    const registry = new SessionRegistry<number>()
    for (let index = 0; index < count; index += 1) registry.set(`a_${index}`, index, { owner: 'ada' })
    return stateHandles(registry, { prefix: 'a_', argument: 'a', owner: () => 'ada' }).list()
  }

  it('lets the event loop iterate', async () => {
    const list = setUp(5_000)
    const { result, iterations } = await countIterations(() => list({}))
    const { handles } = result.structuredContent ?? {}

    expect(handles).toHaveLength(5_000)
    expect(iterations).toBeGreaterThan(5)
  })

  it('stops when the call is cancelled', async () => {
    const list = setUp(5_000)
    const cancel = new AbortController()
    const listing = failureOf(() => list({ mcpReq: { signal: cancel.signal } }))
    const reason = new Error('no longer wanted')
    setImmediate(() => cancel.abort(reason))

    expect(await listing).toBe(reason)
  })
})
