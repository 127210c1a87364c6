import { SessionRegistry } from 'session-registry'
import { describe, expect, it, vi } from 'vitest'
import { beginTurn } from '../../support/begun-turn.ts'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError, thrownBy } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'

const invalid = sessionError('ERR_SESSION_VALUE_INVALID')
const failing = new Error('failed in the middle')

function rolling(options: Parameters<typeof clockedRegistry>[0] = {}) {
  const made = clockedRegistry({ rollback: true, ...options })
  made.registry.set('a', ['before'])
  return made
}

describe('`rollback`', () => {
  it('restores the value that a rejected turn changed', async () => {
    const { registry } = rolling()
    const run = registry.run('a', async (session) => {
      session.value.push('half of it')
      await settle()
      throw failing
    })

    expect(await failureOf(() => run)).toBe(failing)
    expect(registry.get('a')).toEqual(['before'])
    expect(registry.peek('a')?.value).toBe(registry.get('a'))
  })

  it('restores it before the next turn begins and before the caller’s promise settles', async () => {
    const { registry } = rolling()
    const turn = beginTurn(registry, 'a')
    turn.session.value = ['replaced']
    const next = registry.run('a', (session) => [...session.value])
    const seen = turn.run.settled.then(() => [...(registry.get('a') ?? [])])
    turn.end.reject(failing)

    expect(await next).toEqual(['before'])
    expect(await seen).toEqual(['before'])
  })

  it('keeps the very value of a turn that resolves', async () => {
    const { registry } = rolling()
    const value = registry.get('a')
    await registry.run('a', (session) => session.value.push('after'))

    expect(registry.get('a')).toBe(value)
    expect(value).toEqual(['before', 'after'])
  })

  it('off: a rejected turn leaves its changes', async () => {
    const { registry } = clockedRegistry()
    await failureOf(() =>
      registry.run('a', (session) => {
        session.value.push('half of it')
        throw failing
      }),
    )

    expect(registry.get('a')).toEqual(['half of it'])
  })

  it('rolls back a turn that timed out, whose late writes have no effect', async () => {
    const { registry, clock } = rolling({ maxTurnMs: 1_000, turnGraceMs: 500 })
    const turn = beginTurn(registry, 'a')
    const history = turn.session.value
    history.push('half of it')
    await clock.advanceAsync(1_499)
    expect(registry.get('a')).toEqual(['before', 'half of it'])
    await clock.advanceAsync(1)
    history.push('late')

    expect(registry.get('a')).toEqual(['before'])
  })

  it('does not change the value of a session deleted or replaced meanwhile', async () => {
    const { registry } = rolling()
    const turn = beginTurn(registry, 'a')
    registry.replace('a', ['new life'])
    turn.end.reject(failing)
    await turn.run.settled

    expect(registry.get('a')).toEqual(['new life'])
  })

  it('a joined run rolls nothing back, nested or concurrent', async () => {
    const { registry } = rolling()
    await registry.run('a', async (session) => {
      await registry
        .run('a', (inner) => {
          inner.value.push('nested')
          throw failing
        })
        .catch(() => {})
      session.value.push('outer')
    })
    await failureOf(() =>
      registry.run(
        'a',
        (session) => {
          session.value.push('beside')
          throw failing
        },
        { whenBusy: 'join' },
      ),
    )

    expect(registry.get('a')).toEqual(['before', 'nested', 'outer', 'beside'])
  })

  it('includes what nested runs wrote, also those that outlast the failed turn', async () => {
    const { registry } = rolling()
    const gate = deferred()
    const turn = observe(
      registry.run('a', () => {
        registry.run('a', async (inner) => {
          await gate.promise
          inner.value.push('nested, and late')
        })
        throw failing
      }),
    )
    const next = observe(registry.run('a', (session) => [...session.value]))
    await turn.settled
    expect(registry.get('a')).toEqual(['before'])
    expect(next.state).toBe('pending')
    gate.resolve()
    await next.settled

    expect(next.value).toEqual(['before'])
    expect(registry.get('a')).toEqual(['before'])
  })

  it('rolls back a stream that fails, and none that is left early', async () => {
    const { registry } = rolling()
    const components = (end: () => void) =>
      registry.stream('a', async function* (session) {
        session.value.push('part')
        yield 1
        end()
      })
    const failed = components(() => {
      throw failing
    })
    await failed.next()
    expect(await failureOf(() => failed.next())).toBe(failing)
    expect(registry.get('a')).toEqual(['before'])
    const left = components(() => {})
    await left.next()
    await left.return(undefined)

    expect(registry.get('a')).toEqual(['before', 'part'])
  })

  it.each([
    ['a function', () => {}],
    ['an instance of a class, which would come back as a plain object', new (class Message {})()],
    ['bytes of Node’s own kind', Buffer.from('x')],
    ['such a thing far inside', new Map([['x', [new Set([new (class Inner {})()])]]])],
  ])('rejects a value that cannot be copied without calling the turn: %s', async (_name, value) => {
    const registry = new SessionRegistry<unknown>({ rollback: true })
    registry.set('a', value)
    const turn = vi.fn()

    expect(await failureOf(() => registry.run('a', turn))).toEqual(invalid)
    expect(turn).not.toHaveBeenCalled()
    expect(registry.get('a')).toBe(value)
    expect(registry.stats()).toMatchObject({ held: 0, turns: 0, waiting: 0 })
  })

  it('copies everything that `structuredClone` copies', async () => {
    const registry = new SessionRegistry<object>({ rollback: true })
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const value = { date: new Date(5), map: new Map([['k', new Set([1])]]), bytes: new Uint8Array(3), cycle }
    registry.set('a', value)
    await failureOf(() =>
      registry.run('a', (session) => {
        session.value = {}
        throw failing
      }),
    )

    expect(registry.get('a')).toEqual(value)
    expect(registry.get('a')).not.toBe(value)
  })

  it('copies objects without a prototype, and of another realm', async () => {
    const registry = new SessionRegistry<object>({ rollback: true })
    const value = Object.assign(Object.create(null), { list: [1] })
    registry.set('a', value)

    expect(await registry.run('a', () => 'called')).toBe('called')
  })

  it('refuses a queue of any length without growing the stack', async () => {
    const registry = new SessionRegistry<unknown>({ rollback: true, maxWaiting: Number.POSITIVE_INFINITY })
    registry.set('a', [])
    const gate = deferred()
    const running = registry.run('a', async (session) => {
      await gate.promise
      session.value = () => {}
    })
    const runs = Array.from({ length: 20_000 }, () => observe(registry.run('a', () => {})))
    gate.resolve()
    await running
    await Promise.all(runs.map(({ settled }) => settled))

    expect(runs.every(({ error }) => error !== undefined)).toBe(true)
    expect(registry.stats()).toMatchObject({ held: 0, waiting: 0, turns: 1 })
  })
})

describe('`codec` of the registry in memory', () => {
  class Message {
    readonly text: string
    constructor(text: string) {
      this.text = text
    }
  }

  const codec = {
    encode: (messages: Message[]) => JSON.stringify(messages.map(({ text }) => text)),
    decode: (text: string) => (JSON.parse(text) as string[]).map((message) => new Message(message)),
  }

  it('makes the copy for `rollback`', async () => {
    const registry = new SessionRegistry<Message[]>({ rollback: true, codec })
    registry.set('a', [new Message('before')])
    await failureOf(() =>
      registry.run('a', (session) => {
        session.value.push(new Message('half of it'))
        throw failing
      }),
    )

    expect(registry.get('a')).toEqual([new Message('before')])
  })

  it.each([
    [
      'encode',
      {
        encode: () => {
          throw failing
        },
        decode: codec.decode,
      },
    ],
    [
      'decode',
      {
        encode: codec.encode,
        decode: () => {
          throw failing
        },
      },
    ],
  ])('that cannot %s the value rejects the turn', async (_name, broken) => {
    const registry = new SessionRegistry<Message[]>({ rollback: true, codec: broken })
    registry.set('a', [new Message('before')])
    const turn = vi.fn()

    expect(await failureOf(() => registry.run('a', turn))).toEqual(invalid)
    expect(turn).not.toHaveBeenCalled()
  })

  it.each([
    ['rollback', { rollback: 1 }],
    ['rollback', { rollback: null }],
    ['codec', { codec: null }],
    ['codec.decode', { codec: { encode: () => '' } }],
  ])('invalid options name `%s`', (name, options) => {
    const error = thrownBy(() => new SessionRegistry(options as object))

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect((error as Error).message).toContain(`\`${name}\``)
  })
})
