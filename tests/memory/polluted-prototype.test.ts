import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { resolveOptions } from '../../src/memory/options.ts'
import { resolveRedisOptions } from '../../src/redis/options.ts'
import { read, sources } from '../repo/tracked-files.ts'
import { clockedRegistry } from '../support/clocked-registry.ts'
import { pollute } from '../support/pollute.ts'

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

  it.each(names)('`%s` changes nothing, in memory or on Redis', (name) => {
    const before = [resolveOptions({}), resolveOptions(undefined), resolveRedisOptions({ client })].map(
      shownOf,
    )
    pollute({ [name]: 5 })
    const after = [resolveOptions({}), resolveOptions(undefined), resolveRedisOptions({ client })].map(
      shownOf,
    )

    expect(after).toEqual(before)
  })

  it('provides no client to a registry on Redis', () => {
    pollute({ client })

    expect(() => resolveRedisOptions({} as never)).toThrow('`client`')
  })
})

describe('options of a call: a polluted prototype', () => {
  it('sets no timeout of a new session', () => {
    const { registry } = clockedRegistry({ timeoutMs: 1_000 })
    pollute({ timeoutMs: 5 })
    registry.getOrCreate('a', undefined, {})
    registry.set('b', [], {})

    expect(Array.from(registry.sessions(), ({ timeoutMs }) => timeoutMs)).toEqual([1_000, 1_000])
  })

  it('neither keeps a run from creating nor aborts it', async () => {
    const { registry } = clockedRegistry()
    pollute({ create: false, signal: AbortSignal.abort(), whenBusy: 'reject', waitMs: 0 })

    expect(await registry.run('a', () => 'ran')).toBe('ran')
    expect(await registry.run('b', () => 'ran', {})).toBe('ran')
  })

  it('sets no deadline of `close`', async () => {
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

  it('sets no cause and no session of an error', () => {
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

/**
 * Everything that may be left out somewhere in the code of a registry, and would then be looked for in a
 * prototype.
 */
const optional = new Set(
  sources
    .filter((path) => /^src\/(core|memory)\//.test(path))
    .flatMap((path) =>
      Array.from(read(path).matchAll(/^\s+(?:readonly )?(\w+)\?:/gm), ([, name = '']) => name),
    ),
)

/** What a registry does in a day of its life. */
async function transcript(): Promise<string[]> {
  const store = new Map<string, string[]>()
  const { registry, clock, events } = clockedRegistry({
    timeoutMs: 1_000,
    intervalMs: 250,
    maxSessions: 3,
    archive: async ({ id, value }, reason) => void store.set(id, [...value, reason]),
    load: async (id) => store.get(id),
  })
  const lines: unknown[] = []
  lines.push(await registry.open('a', {}))
  await registry.run('a', async ({ value }) => {
    value.push('one')
    await registry.run('a', (session) => session.value.push('nested'), {})
  })
  for await (const part of registry.stream('b', async function* ({ value }) {
    yield value.push('two')
  }))
    lines.push(part)
  const hold = await registry.acquire('c', {})
  registry.set('a', ['three'], {})
  await clock.advanceAsync(1_500)
  lines.push([...registry.keys()], await registry.run('a', ({ value }) => [...value]))
  lines.push(await registry.run('none', () => 5, { create: false }).catch(String))
  lines.push(await registry.run('d', () => Promise.reject(new Error('a failure'))).catch(String))
  hold.release()
  registry.replace('a', ['four'], {})
  const closed = registry.close({})
  await clock.advanceAsync(10)
  const { ended, archived, failed } = await closed
  const stats = { ...registry.stats(), lastSweep: undefined }
  return [...lines, ended, archived, failed.length, stats, [...store], ...events.lines].map((line) =>
    JSON.stringify(line),
  )
}

describe('optional members: a polluted prototype', () => {
  // Node itself looks for `signal` in the options of `addEventListener`, and throws.
  it.each([...optional].filter((name) => name !== 'signal').toSorted())('provides no `%s`', async (name) => {
    const before = await transcript()
    pollute({ [name]: 'polluted' })
    const after = await transcript()

    expect(before.length).toBeGreaterThan(15)
    expect(after).toEqual(before)
  })
})

describe('options', () => {
  it('are read as own enumerable properties, as a spread does, not from a prototype', () => {
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
