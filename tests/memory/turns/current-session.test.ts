import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { deferred } from '../../support/deferred.ts'
import { settle } from '../../support/settle.ts'

it('current(): returns the session of the turn, across `await`', async () => {
  const { registry } = clockedRegistry()
  const seen = await registry.run('a', async () => {
    await settle()
    return registry.current()
  })

  expect(seen).toEqual({ id: 'a', ref: registry.ref('a'), incarnation: registry.peek('a')?.incarnation })
})

it('current(): is `undefined` outside of turns of this registry', async () => {
  const { registry } = clockedRegistry()
  const other = clockedRegistry().registry
  let snapshot = (fn: () => unknown) => fn()
  await registry.run('a', () => {
    snapshot = AsyncLocalStorage.snapshot()
    expect(other.current()).toBeUndefined()
  })

  expect(registry.current()).toBeUndefined()
  // Work that outlives its turn is not part of it.
  expect(snapshot(() => registry.current())).toBeUndefined()
})

it('current(): returns the innermost of nested turns, and the outer one again after it', async () => {
  const { registry } = clockedRegistry()
  const seen: unknown[] = []
  const note = () => seen.push(registry.current()?.id)
  await registry.run('a', async () => {
    note()
    await registry.run('b', async () => {
      note()
      await registry.run('a', note)
    })
    note()
  })

  expect(seen).toEqual(['a', 'b', 'a', 'a'])
})

it('current(): works in streams, in joined turns, and in the clean-up of an aborted turn', async () => {
  const { registry, clock } = clockedRegistry({ maxTurnMs: 100, turnGraceMs: 0 })
  expect(await registry.run('a', () => registry.current()?.id, { whenBusy: 'join' })).toBe('a')
  for await (const id of registry.stream('b', async function* () {
    yield registry.current()?.id
  })) {
    expect(id).toBe('b')
  }
  const gate = deferred()
  const late = deferred<unknown>()
  const cut = registry
    .run('c', async () => {
      await gate.promise
      late.resolve(registry.current()?.id)
    })
    .catch(() => {})
  await clock.advanceAsync(100)
  await cut
  gate.resolve()

  expect(await late.promise).toBe('c')
})

it('current(): in a hook, returns the turn of the call that caused it', async () => {
  const seen: unknown[] = []
  const { registry } = clockedRegistry({
    load: async (id) => {
      seen.push(id, registry.current()?.id)
      return undefined
    },
  })
  await registry.run('a', () => registry.open('b'))

  expect(seen).toEqual(['a', undefined, 'b', 'a'])
})

it('current(): is not activity', async () => {
  const { registry, clock } = clockedRegistry({ timeoutMs: 1_000 })
  await registry.run('a', () => {
    clock.advance(500)
    registry.current()
  })
  clock.advance(999)
  expect(registry.has('a')).toBe(true)
  registry.current()
  clock.advance(1)

  expect(registry.has('a')).toBe(false)
})
