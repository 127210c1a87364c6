import { AsyncLocalStorage } from 'node:async_hooks'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const reentrant = sessionError('ERR_SESSION_REENTRANT')
const visitor = new AsyncLocalStorage<string>()

function registryOf(options: SessionRegistryOptions<string[]>): SessionRegistry<string[]> {
  return visitor.run('constructor', () => new SessionRegistry<string[]>(options))
}

describe('the async context of an asynchronous `create`', () => {
  it('is that of the call, and so is that of `created`', async () => {
    const ran: string[] = []
    const registry = registryOf({
      create: async () => {
        ran.push(`create in ${visitor.getStore()}`)
        await settle()
        ran.push(`goes on in ${visitor.getStore()}`)
        return []
      },
    })
    registry.on('created', () => ran.push(`created in ${visitor.getStore()}`))
    const opened = visitor.run('ada', () => registry.open('a'))
    const ran2 = visitor.run('ben', () => registry.run('a', () => ran.push(`turn in ${visitor.getStore()}`)))
    await Promise.all([opened, ran2])

    expect(ran).toEqual(['create in ada', 'goes on in ada', 'created in ada', 'turn in ben'])
  })

  it('is that of a call that waits, where it had to wait for a place', async () => {
    const ran: string[] = []
    const closed = deferred()
    const registry = registryOf({
      maxSessions: 1,
      dispose: () => closed.promise,
      create: async (id) => {
        ran.push(`${id} in ${visitor.getStore()}`)
        return []
      },
    })
    await visitor.run('ada', () => registry.open('a'))
    const opened = visitor.run('ben', () => registry.open('b'))
    await settle()
    visitor.run('cleo', () => closed.resolve())
    await opened

    expect(ran).toEqual(['a in ada', 'b in ben'])
  })

  it('of its signal is its own, whoever ends it', async () => {
    const ran: string[] = []
    const registry = registryOf({
      create: (_id, { signal }) => {
        signal.addEventListener('abort', () => ran.push(`abort in ${visitor.getStore()}`))
        return new Promise<never>(() => {})
      },
    })
    const controller = new AbortController()
    observe(visitor.run('ada', () => registry.open('a', { signal: controller.signal })))
    visitor.run('ben', () => controller.abort())

    expect(ran).toEqual(['abort in ada'])
  })

  it('of what `getOrCreate` began is its own, and `created` runs in it', async () => {
    const ran: string[] = []
    const made = deferred<string[]>()
    const registry = registryOf({
      create: () => {
        ran.push(`create in ${visitor.getStore()}`)
        return made.promise
      },
    })
    registry.on('created', () => ran.push(`created in ${visitor.getStore()}`))
    visitor.run('ada', () => expect(() => registry.getOrCreate('a')).toThrow())
    visitor.run('ben', () => made.resolve([]))
    await settle()

    expect(ran).toEqual(['create in ada', 'created in ada'])
  })
})

describe('an asynchronous `create` that has not settled', () => {
  const calls: readonly [name: string, call: (registry: SessionRegistry<string[]>) => Promise<unknown>][] = [
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

  it.each(calls)('may not open its own id: %s', async (_, call) => {
    const failures: unknown[] = []
    const registry: SessionRegistry<string[]> = registryOf({
      create: async () => {
        failures.push(await failureOf(() => call(registry)))
        await settle()
        failures.push(await failureOf(() => call(registry)))
        return ['made']
      },
    })

    expect(await registry.open('a')).toEqual(['made'])
    expect(failures).toEqual([reentrant, reentrant])
  })

  it('may not open its own id, in the own `create` of a call and after a `load`', async () => {
    const registry: SessionRegistry<string[]> = registryOf({ load: async () => undefined })
    const create = async () => [String(sessionErrorCode(await failureOf(() => registry.open('a'))))]

    expect(await registry.run('a', ({ value }) => value, { create })).toEqual(['ERR_SESSION_REENTRANT'])
  })

  it('may open other ids', async () => {
    const registry: SessionRegistry<string[]> = registryOf({
      create: async (id) => (id === 'a' ? [...(await registry.open('b')), 'a'] : ['b']),
    })

    expect(await registry.open('a')).toEqual(['b', 'a'])
  })

  it('may open its own id after it has settled', async () => {
    let late: Promise<string[]> | undefined
    const registry: SessionRegistry<string[]> = registryOf({
      create: async () => {
        late = settle().then(() => registry.open('a'))
        return ['made']
      },
    })
    await registry.open('a')

    expect(await late).toEqual(['made'])
  })
})

function sessionErrorCode(error: unknown): unknown {
  return (error as { code?: unknown }).code
}
