import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { observe } from '../../support/observed-promise.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

describe('the result of `run`', () => {
  it.each([
    ['a web stream', () => new ReadableStream()],
    ['something that can be iterated', () => ({ async *[Symbol.asyncIterator]() {} })],
    ['a sync generator', () => [1].values()],
    ['a revoked proxy', () => revoked()],
  ])('may be %s', async (_name, make) => {
    const { registry } = clockedRegistry()
    const result = { of: make() }

    expect((await registry.run('a', () => [result.of]))[0]).toBe(result.of)
    const direct = observe(registry.run('a', () => result.of))
    await direct.settled
    if (direct.state === 'fulfilled') expect(direct.value).toBe(result.of)
    expect(direct.error).not.toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
  })

  it('may not be a generator compiled for an older target', async () => {
    const { registry } = clockedRegistry()
    const generator = { next() {}, return() {}, throw() {}, [Symbol.asyncIterator]() {} }

    expect(await failureOf(() => registry.run('a', () => generator))).toEqual(
      sessionError('ERR_SESSION_OPTION_INVALID'),
    )
  })
})

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
