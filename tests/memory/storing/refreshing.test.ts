import { describe, expect, it } from 'vitest'
import { settle } from '../../support/settle.ts'
import { registryOn, say, storedRegistry } from '../../support/stored-registry.ts'

const hour = 3_600_000
const options = { keepMs: 4 * hour, timeoutMs: 2 * hour }

describe('before a pruning', () => {
  it('a session that is only read is written again: its crash loses nothing', async () => {
    const { registry, store, clock } = storedRegistry(options)
    await say(registry, 'ada', 'one')
    for (let count = 0; count < 12; count += 1) {
      await clock.advanceAsync(hour / 2)
      registry.get('ada')
    }
    const next = registryOn(store, clock, options)

    expect(await next.registry.open('ada', { create: false })).toEqual(['one'])
    // About once in a quarter of `keepMs`, not at each pruning or sweep.
    expect(store.puts.length).toBeLessThanOrEqual(8)
  })

  it('one that is held is written again', async () => {
    const { registry, store, clock } = storedRegistry(options)
    await say(registry, 'ada', 'one')
    using held = registry.hold('ada')
    await clock.advanceAsync(10 * hour)

    expect(held?.session.value).toEqual(['one'])
    expect(store.value('ada')).toEqual(['one'])
  })

  it('nothing is pruned while one cannot be written', async () => {
    const { registry, store, clock, errors } = storedRegistry(options)
    await say(registry, 'ada', 'one')
    using held = registry.hold('ada')
    await clock.advanceAsync(hour)
    const prunesBefore = store.prunes.length
    store.failNext('put', 9)
    await clock.advanceAsync(2 * hour)
    await settle()

    const failed = expect.objectContaining({ code: 'ERR_SESSION_STORE_FAILED' })
    expect(errors).toEqual([failed, failed])
    expect(store.prunes).toHaveLength(prunesBefore)
    expect(held?.session.held).toBe(true)
  })

  it('what a running turn has changed so far is not written', async () => {
    const { registry, store, clock } = storedRegistry({ ...options, maxTurnMs: 10 * hour })
    await say(registry, 'ada', 'one')
    let finish = () => {}
    const turn = registry.run('ada', async ({ value }) => {
      value.push('half')
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      value.push('whole')
    })
    await clock.advanceAsync(6 * hour)
    expect(store.value('ada')).toEqual(['one'])
    finish()
    await turn

    expect(store.value('ada')).toEqual(['one', 'half', 'whole'])
  })
})
