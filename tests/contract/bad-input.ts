import { isSessionRegistryError } from 'session-registry'
import { expect, it } from 'vitest'
import { failureOf, sessionError } from '../support/session-error.ts'
import type { ContractHarness, ContractRegistry } from './harness.ts'

const messageOf = (error: unknown) => (error instanceof Error ? error.message : '')

export function describeBadInput(harness: ContractHarness): void {
  const members = [
    ['getOrCreate', (registry, id) => registry.getOrCreate(id, () => [])],
    ['get', (registry, id) => registry.get(id)],
    ['set', (registry, id) => registry.set(id, [])],
    ['touch', (registry, id) => registry.touch(id)],
    ['peek', (registry, id) => registry.peek(id)],
    ['has', (registry, id) => registry.has(id)],
    ['delete', (registry, id) => registry.delete(id)],
    ['open', (registry, id) => registry.open(id)],
    ['run', (registry, id) => registry.run(id, () => {})],
    ['hold', (registry, id) => registry.hold(id)],
  ] satisfies [string, (registry: ContractRegistry, id: string) => unknown][]

  it.each(members)('invalid id: %s refuses it, and never echoes it', async (_name, call) => {
    const registry = await harness.make({ create: () => [] })
    const tooLong = `secret-${'x'.repeat(1024)}`
    const wrong: unknown[] = ['', tooLong, 7, null, undefined, {}, ['a'], Symbol('a'), true]
    for (const id of wrong) {
      const error = await failureOf(() => call(registry, id as string))
      expect(error, String(id)).toEqual(sessionError('ERR_SESSION_ID_INVALID'))
      expect(messageOf(error)).not.toContain('secret')
    }
    expect(await harness.size(registry)).toBe(0)
  })

  const wrongOptions: [string, unknown][] = [
    ['timeoutMs', 0],
    ['timeoutMs', -5],
    ['timeoutMs', Number.NaN],
    ['timeoutMs', '60'],
    ['timeoutMs', null],
    ['intervalMs', 0],
    ['intervalMs', -1],
    ['intervalMs', Number.NaN],
    ['maxAgeMs', 0],
    ['maxTurnMs', -1],
    ['create', 'new'],
    ['load', {}],
    ['archive', true],
    ['archiveConcurrency', 0],
    ['archiveConcurrency', 1.5],
    ['archiveAttempts', 0],
    ['archiveTimeoutMs', -1],
    ['logger', 'console'],
    ['logger', { info: () => {} }],
    ['logIds', 'secret'],
    ['name', ''],
    ['timeout', 60_000],
  ]

  it.each(wrongOptions)('invalid option: %s: %s is refused, and named', async (option, value) => {
    const error = await failureOf(() => harness.make({ [option]: value }))

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(messageOf(error)).toContain(`\`${option}\``)
  })

  it('invalid timeout of one session: creates nothing', async () => {
    const registry = await harness.make({ create: () => [] })
    for (const timeoutMs of [0, -1, Number.NaN, '5', null]) {
      const options = { timeoutMs: timeoutMs as number }
      for (const call of [
        () => registry.getOrCreate('a', undefined, options),
        () => registry.set('a', [], options),
      ]) {
        const error = await failureOf(call)
        expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
        expect(messageOf(error)).toContain('`timeoutMs`')
      }
    }
    expect(await harness.size(registry)).toBe(0)
  })

  it('refused set: does not end a live session', async () => {
    const registry = await harness.make({})
    await registry.set('a', ['kept'])
    await failureOf(() => registry.set('a', ['new'], { timeoutMs: -1 }))

    expect(await registry.get('a')).toEqual(['kept'])
  })

  it('invalid options of a turn: reject without calling it', async () => {
    const registry = await harness.make({ create: () => [] })
    let ran = 0
    const turn = () => {
      ran += 1
    }
    const wrong: object[] = [{ whenBusy: 'later' }, { signal: {} }, { create: 'no' }, { whenbusy: 'wait' }]
    for (const options of wrong) {
      const error = await failureOf(() => registry.run('a', turn, options))
      expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
      expect(messageOf(error)).toContain(Object.keys(options)[0])
    }
    expect(isSessionRegistryError(await failureOf(() => registry.run('a', 'turn' as never)))).toBe(true)
    expect(ran).toBe(0)
    expect(await registry.has('a')).toBe(false)
  })
}
