import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { disposingRegistry } from '../../support/disposing-registry.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const reentrant = sessionError('ERR_SESSION_REENTRANT')

type Call = (registry: SessionRegistry<string[]>) => Promise<unknown>
const calls: readonly [name: string, call: Call][] = [
  ['open', (registry) => registry.open('a')],
  ['run', (registry) => registry.run('a', () => {})],
  ['acquire', (registry) => registry.acquire('a')],
  [
    'stream',
    (registry) =>
      registry
        .stream('a', async function* () {
          yield 1
        })
        .next(),
  ],
]

describe('a `dispose` hook', () => {
  it.each(calls)('may not open its own id, which would wait for itself: %s', async (_, call) => {
    const failures: unknown[] = []
    const registry: SessionRegistry<string[]> = new SessionRegistry<string[]>({
      create: () => [],
      dispose: async () => {
        failures.push(await failureOf(() => call(registry)))
        await settle()
        failures.push(await failureOf(() => call(registry)))
      },
    })
    registry.getOrCreate('a')
    registry.delete('a')
    await registry.settled()

    expect(failures).toEqual([reentrant, reentrant])
  })

  it('may open its own id once it has settled', async () => {
    let late: Promise<string[]> | undefined
    const registry: SessionRegistry<string[]> = new SessionRegistry<string[]>({
      create: () => ['new'],
      dispose: () => {
        late ??= settle().then(() => registry.open('a'))
      },
    })
    registry.getOrCreate('a')
    registry.delete('a')

    expect(await late).toEqual(['new'])
  })

  it('may open other ids, and end them', async () => {
    const seen: unknown[] = []
    const registry: SessionRegistry<string[]> = new SessionRegistry<string[]>({
      create: (id) => [id],
      dispose: async ([id]) => {
        if (id !== 'a') return
        seen.push(await registry.open('b'), registry.delete('b'), registry.delete('a'), registry.has('a'))
      },
    })
    registry.getOrCreate('a')
    registry.delete('a')
    await registry.settled()

    expect(seen).toEqual([['b'], true, false, false])
    expect(registry.stats()).toMatchObject({ size: 0, disposing: 0, deleted: 2 })
  })

  it('may `replace` its own id', () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    registry.getOrCreate('a')
    disposer.onCall = () => {
      if (disposer.calls.length === 1) registry.replace('a', ['new'])
    }
    registry.delete('a')

    expect(registry.get('a')).toEqual(['new'])
    expect(disposer.calls).toHaveLength(1)
  })

  it('may close the registry, which does not wait for itself beyond its deadlines', async () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    for (const id of ['a', 'b']) registry.getOrCreate(id)
    let report: Promise<unknown> | undefined
    disposer.onCall = () => {
      report ??= registry.close()
    }
    registry.delete('a')

    expect(await report).toEqual({ ended: 2, archived: 0, failed: [] })
    expect(disposer.values).toEqual([['a'], ['b']])
  })
})

describe('listeners beside `dispose`', () => {
  it('of `ended` may create the id again', () => {
    const { registry, lines } = disposingRegistry({ mode: 'sync' })
    registry.once('ended', () => registry.getOrCreate('a'))
    registry.getOrCreate('a')
    registry.delete('a')

    expect(lines).toEqual(['created a', 'dispose a deleted', 'ended a deleted', 'created a'])
    expect(registry.stats()).toMatchObject({ size: 1, listenerErrors: 0 })
  })

  it('of `created` may delete the session: it is disposed of once', async () => {
    const { registry, disposer } = disposingRegistry({ mode: 'sync' })
    registry.on('created', ({ id }) => registry.delete(id))
    registry.getOrCreate('a')
    await registry.open('b')

    expect(disposer.values).toEqual([['a'], ['b']])
    expect(registry.size).toBe(0)
  })
})
