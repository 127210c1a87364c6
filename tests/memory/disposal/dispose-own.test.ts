import { SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../support/deferred.ts'
import { settle } from '../../support/settle.ts'

function registryOf<T>(create: () => T) {
  const ended: string[] = []
  const registry = new SessionRegistry<T>({ create, dispose: true })
  registry.on('ended', ({ id }, reason) => ended.push(`${id} ${reason}`))
  const errors: unknown[] = []
  registry.on('error', (error) => errors.push(error))
  return { registry, ended, errors }
}

describe('`dispose: true`', () => {
  it('calls `Symbol.dispose` of the value, on the value, without arguments', () => {
    const calls: unknown[] = []
    const value = {
      [Symbol.dispose](...args: unknown[]) {
        calls.push(this, ...args)
      },
    }
    const { registry, ended } = registryOf(() => value)
    registry.getOrCreate('a')
    registry.delete('a')

    expect(calls).toHaveLength(1)
    expect(calls[0]).toBe(value)
    expect(ended).toEqual(['a deleted'])
  })

  it('awaits `Symbol.asyncDispose`, which goes before `Symbol.dispose`', async () => {
    const closed = deferred()
    const calls: string[] = []
    const { registry, ended } = registryOf(() => ({
      [Symbol.asyncDispose]: () => {
        calls.push('async')
        return closed.promise
      },
      [Symbol.dispose]: () => calls.push('sync'),
    }))
    registry.getOrCreate('a')
    registry.delete('a')
    await settle()
    expect(ended).toEqual([])
    closed.resolve()
    await settle()

    expect(calls).toEqual(['async'])
    expect(ended).toEqual(['a deleted'])
  })

  it('calls the method of a function', () => {
    const calls: string[] = []
    const { registry } = registryOf(() =>
      Object.assign(() => {}, { [Symbol.dispose]: () => calls.push('f') }),
    )
    registry.getOrCreate('a')
    registry.delete('a')

    expect(calls).toEqual(['f'])
  })

  it.each([[undefined], [null], ['text'], [7], [{}], [[]], [{ [Symbol.dispose]: 'not a function' }]])(
    'does nothing for a value without either: %j',
    (value) => {
      const { registry, ended, errors } = registryOf<unknown>(() => value)
      registry.getOrCreate('a')
      registry.delete('a')

      expect(ended).toEqual(['a deleted'])
      expect(errors).toEqual([])
      expect(registry.stats().disposing).toBe(0)
    },
  )

  it('contains what the method throws', () => {
    const failure = new Error('stuck')
    const { registry, ended, errors } = registryOf(() => ({
      [Symbol.dispose]: () => {
        throw failure
      },
    }))
    registry.getOrCreate('a')
    registry.delete('a')

    expect(errors).toMatchObject([{ code: 'ERR_SESSION_DISPOSE_FAILED', cause: failure }])
    expect(ended).toEqual(['a deleted'])
  })
})
