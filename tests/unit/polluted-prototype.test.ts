import { SessionRegistry } from 'session-registry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveOptions } from '../../src/memory/options.ts'
import { resolveRedisOptions } from '../../src/redis/options.ts'
import { clockedRegistry } from '../support/clocked-registry.ts'

/** Sets properties that every plain object inherits, as a merge of hostile JSON does, for the rest of a test. */
function pollute(properties: Readonly<Record<string, unknown>>): void {
  const { prototype } = Object
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(prototype, name, { value, configurable: true, enumerable: true, writable: true })
  }
  onTestFinished(() => {
    for (const name of Object.keys(properties)) Reflect.deleteProperty(prototype, name)
  })
}

const client = { evalSha: async () => 0, eval: async () => 0 }
const shownOf = (resolved: object) =>
  JSON.stringify({ ...resolved, timeoutMs: String(Reflect.get(resolved, 'timeoutMs')) })

describe('options of a registry: a polluted prototype', () => {
  const names = [
    ...['timeoutMs', 'intervalMs', 'maxAgeMs', 'maxSessions', 'whenFull', 'create', 'load', 'archive'],
    ...[
      'archiveConcurrency',
      'archiveAttempts',
      'archiveTimeoutMs',
      'loadTimeoutMs',
      'maxTurnMs',
      'maxHoldMs',
    ],
    ...[
      'turnGraceMs',
      'maxWaiting',
      'logger',
      'logIds',
      'name',
      'prefix',
      'shards',
      'leaseMs',
      'retentionMs',
    ],
    'codec',
  ]

  it.each(names)('changes nothing by `%s`, of one process or on Redis', (name) => {
    const before = [resolveOptions({}), resolveOptions(undefined), resolveRedisOptions({ client })].map(
      shownOf,
    )
    pollute({ [name]: 5 })
    const after = [resolveOptions({}), resolveOptions(undefined), resolveRedisOptions({ client })].map(
      shownOf,
    )

    expect(after).toEqual(before)
  })

  it('gives no client to a registry on Redis', () => {
    pollute({ client })

    expect(() => resolveRedisOptions({} as never)).toThrow('`client`')
  })
})

describe('options of a call: a polluted prototype', () => {
  it('gives a new session no timeout', () => {
    const { registry } = clockedRegistry({ timeoutMs: 1_000 })
    pollute({ timeoutMs: 5 })
    registry.getOrCreate('a', undefined, {})
    registry.set('b', [], {})

    expect(Array.from(registry.sessions(), ({ timeoutMs }) => timeoutMs)).toEqual([1_000, 1_000])
  })

  it('neither forbids a run to create nor calls it off', async () => {
    const { registry } = clockedRegistry()
    pollute({ create: false, signal: AbortSignal.abort(), whenBusy: 'reject', waitMs: 0 })

    expect(await registry.run('a', () => 'ran')).toBe('ran')
    expect(await registry.run('b', () => 'ran', {})).toBe('ran')
  })

  it('gives `close` no deadline', async () => {
    const { registry, clock } = clockedRegistry()
    let finish = () => {}
    const turn = registry.run('a', () => new Promise<void>((resolve) => (finish = resolve)))
    pollute({ deadlineMs: 5 })
    const closed = registry.close()
    await clock.advanceAsync(5)
    finish()

    await expect(turn).resolves.toBeUndefined()
    expect(await closed).toMatchObject({ ended: 1 })
  })

  it('gives an error no cause and no session', () => {
    const { registry } = clockedRegistry()
    pollute({ cause: 'a cause', session: 'a session' })
    let thrown: unknown
    try {
      registry.get('')
    } catch (error) {
      thrown = error
    }

    expect([Object.hasOwn(thrown as Error, 'cause'), Object.hasOwn(thrown as Error, 'session')]).toEqual([
      false,
      false,
    ])
  })
})

describe('options', () => {
  it('are own enumerable properties, as a spread takes them: not what a prototype has', () => {
    const inherited = Object.create({ timeoutMs: 5 }) as object
    const hidden = Object.defineProperty({}, 'timeoutMs', { value: 5 })

    expect(resolveOptions(inherited).timeoutMs).toBe(1_200_000)
    expect(resolveOptions(hidden).timeoutMs).toBe(1_200_000)
  })

  it('may be fields of an instance, and are read once', () => {
    let reads = 0
    class Options {
      maxSessions = 3
    }
    const options = Object.defineProperty(new Options(), 'timeoutMs', {
      enumerable: true,
      get: () => {
        reads += 1
        return reads * 1_000
      },
    })
    const { timeoutMs, maxSessions } = resolveOptions(options)

    expect({ timeoutMs, maxSessions, reads }).toEqual({ timeoutMs: 1_000, maxSessions: 3, reads: 1 })
    expect(() => new SessionRegistry(new Options())).not.toThrow()
  })
})
