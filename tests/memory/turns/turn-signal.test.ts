import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { observe } from '../../support/observed-promise.ts'

const limits = { timeoutMs: Number.POSITIVE_INFINITY, maxTurnMs: 1_000, turnGraceMs: 0 }

/** Fulfils when the signal aborts. */
const aborted = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener('abort', resolve))

describe('the signal of a turn aborts in the context of its turn', () => {
  const requests = new AsyncLocalStorage<string>()

  /** A turn of the request `turn` that notes in whose context its signal aborts. */
  function noting() {
    const { registry, clock } = clockedRegistry(limits)
    const seen: unknown[] = []
    const begin = () =>
      observe(
        registry.run('a', (_session, signal) => {
          signal.addEventListener('abort', () => {
            seen.push(requests.getStore())
            // It is a part of the turn, too: what it runs joins.
            registry.run('a', () => seen.push('joined')).catch(() => seen.push('refused'))
          })
          return aborted(signal)
        }),
      )
    return { registry, clock, seen, turn: requests.run('turn', begin) }
  }

  it('by another visitor’s interrupt', async () => {
    const { registry, seen, turn } = noting()
    requests.run('another visitor', () => observe(registry.run('a', () => {}, { whenBusy: 'interrupt' })))
    await turn.settled

    expect(seen).toEqual(['turn', 'joined'])
  })

  it('by its limit', async () => {
    const { clock, seen, turn } = noting()
    requests.run('who moves the clock', () => clock.advance(1_000))
    await turn.settled

    expect(seen[0]).toBe('turn')
  })

  it('by a deletion', async () => {
    const { registry, seen, turn } = noting()
    requests.run('an administrator', () => registry.delete('a'))
    await turn.settled

    expect(seen).toEqual(['turn', 'refused'])
  })

  it('by the deadline of `close`', async () => {
    const { registry, clock, seen, turn } = noting()
    requests.run('shutdown', () => observe(registry.close({ deadlineMs: 10 })))
    requests.run('who moves the clock', () => clock.advance(10))
    await turn.settled

    expect(seen[0]).toBe('turn')
  })

  it('by the caller’s own signal', async () => {
    const { registry } = clockedRegistry()
    const controller = new AbortController()
    const turn = requests.run('turn', () =>
      registry.run(
        'a',
        (_session, signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve(requests.getStore()))
          }),
        { signal: controller.signal },
      ),
    )
    requests.run('who hangs up', () => controller.abort())

    expect(await turn).toBe('turn')
  })
})
