import { expect, it } from 'vitest'
import { observe } from '../support/observed-promise.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { type ContractHarness, eventually } from './harness.ts'
import { startTurn } from './started-turn.ts'

/** What a logger is told of turns that wait or run for long. */
export function describeSlowTurns(harness: ContractHarness): void {
  const { unitMs } = harness
  const make = async (options = {}) => {
    const logger = new RecordingLogger()
    const registry = await harness.make({
      create: () => [],
      timeoutMs: 200 * unitMs,
      slowTurnMs: 3 * unitMs,
      logger,
      ...options,
    })
    const warnings = () =>
      logger.at('warn').filter(({ message }) => typeof message === 'string' && message.startsWith('turn '))
    return { registry, warnings }
  }

  it('slowTurnMs: one line for a turn that runs longer, and one for a turn that waits longer', async () => {
    const { registry, warnings } = await make()
    const first = await startTurn(registry, 'a')
    const next = observe(registry.run('a', () => 'next', { whenBusy: 'interrupt' }))
    expect(warnings()).toEqual([])
    await eventually(harness, () => expect(warnings()).toHaveLength(2))
    await harness.advance(4 * unitMs)
    first.finish()
    await next.settled

    expect(next.value).toBe('next')
    expect(warnings().map(({ message }) => message)).toEqual([
      'turn is still running',
      'turn is still waiting',
    ])
    const [running, waiting] = warnings().map(({ fields }) => fields)
    const session = expect.stringMatching(/^[\w-]{16}$/)
    expect(running).toEqual({
      registry: 'sessions',
      session,
      runningMs: expect.any(Number),
      whenBusy: 'wait',
    })
    expect(waiting).toMatchObject({ session: running?.session, whenBusy: 'interrupt' })
    expect(Object.keys(waiting ?? {})).toContain('waitedMs')
  })

  it('slowTurnMs: no line for a turn that settles in time, nor for what is nested in another turn', async () => {
    const { registry, warnings } = await make()
    await registry.run('a', () => harness.advance(unitMs))
    await registry.run('a', () => registry.run('a', () => harness.advance(4 * unitMs)))

    expect(warnings()).toHaveLength(1)
  })
}
