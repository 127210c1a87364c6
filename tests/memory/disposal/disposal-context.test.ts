import { AsyncLocalStorage } from 'node:async_hooks'
import { SessionRegistry, type SessionRegistryOptions } from 'session-registry'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { observe } from '../../support/observed-promise.ts'
import { settle } from '../../support/settle.ts'

const visitor = new AsyncLocalStorage<string>()

/** A registry that was made in the context `constructor`, and what ran in which context. */
function observed(options: SessionRegistryOptions<string[]> = {}) {
  const clock = new ManualClock()
  const ran: string[] = []
  const note = (what: string) => ran.push(`${what} in ${visitor.getStore()}`)
  const registry = visitor.run(
    'constructor',
    () =>
      new SessionRegistry<string[]>({
        clock,
        create: (id) => [id],
        dispose: ([id]) => note(`dispose ${id}`),
        ...options,
      }),
  )
  registry.on('created', ({ id }) => note(`created ${id}`))
  registry.on('ended', ({ id }, reason) => note(`ended ${id} ${reason}`))
  registry.on('error', () => note('error'))
  return { clock, registry, ran, note }
}

describe('the async context of a disposal', () => {
  it.each(['delete', 'clear', 'replace'] as const)(
    'is the constructor’s, whatever ends the session: %s',
    (member) => {
      const { registry, ran } = observed()
      visitor.run('ada', () => registry.getOrCreate('a'))
      ran.length = 0
      visitor.run('ben', () => {
        if (member === 'replace') registry.replace('a', ['new'])
        else registry[member]('a')
      })

      expect(ran.filter((line) => !line.startsWith('created'))).toEqual([
        'dispose a in constructor',
        `ended a ${member === 'replace' ? 'replaced' : 'deleted'} in constructor`,
      ])
    },
  )

  it('is the constructor’s at the cap, and for the end of a turn', async () => {
    const { registry, ran } = observed({ maxSessions: 1 })
    await visitor.run('ada', () => registry.run('a', () => registry.delete('a')))
    await settle()
    visitor.run('ben', () => registry.getOrCreate('b'))
    visitor.run('cleo', () => registry.getOrCreate('c'))

    expect(ran).toEqual([
      'created a in ada',
      'dispose a in constructor',
      'ended a deleted in constructor',
      'created b in ben',
      'dispose b in constructor',
      'ended b capacity in constructor',
      'created c in cleo',
    ])
  })

  it('is the constructor’s for its signal, and for the events of an end that waited for it', async () => {
    const { clock, registry, ran, note } = observed({
      disposeTimeoutMs: 100,
      dispose: (_value, _reason, { signal }) => {
        signal.addEventListener('abort', () => note('abort'))
        return new Promise(() => {})
      },
    })
    visitor.run('ada', () => registry.getOrCreate('a'))
    visitor.run('ben', () => registry.delete('a'))
    ran.length = 0
    await visitor.run('cleo', () => clock.advanceAsync(100))

    expect(ran).toEqual(['abort in constructor', 'error in constructor', 'ended a deleted in constructor'])
  })

  it('is the constructor’s for a value that never was a session', async () => {
    const made = deferred<string[]>()
    const { registry, ran } = observed({ create: () => made.promise })
    const controller = new AbortController()
    observe(visitor.run('ada', () => registry.open('a', { signal: controller.signal })))
    controller.abort()
    visitor.run('ben', () => made.resolve(['late']))
    await settle()

    expect(ran).toEqual(['dispose late in constructor'])
  })

  it('does not reach the call that waits for it: that goes on in its own', async () => {
    const closed = deferred()
    const { registry, ran } = observed({ dispose: () => closed.promise })
    visitor.run('ada', () => registry.getOrCreate('a'))
    visitor.run('ada', () => registry.delete('a'))
    const opened = visitor.run('ben', () => registry.open('a'))
    ran.length = 0
    visitor.run('cleo', () => closed.resolve())
    await opened

    expect(ran).toEqual(['ended a deleted in constructor', 'created a in ben'])
  })
})
