import { expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { ManualLoad } from '../../support/manual-load.ts'
import { observe } from '../../support/observed-promise.ts'
import { settle } from '../../support/settle.ts'

it('acquire: all waiting calls have their hold before a listener of `created` can end the session', async () => {
  const store = new ManualLoad()
  const { registry, events } = clockedRegistry({ load: store.load })
  registry.once('created', ({ id }) => registry.delete(id))
  const waits = [observe(registry.acquire('a')), observe(registry.acquire('a')), observe(registry.open('a'))]
  store.at(0).resolve(['loaded'])
  await Promise.all(waits.map(({ settled }) => settled))
  await settle()

  expect(waits.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
  expect(registry.stats()).toMatchObject({ size: 0, held: 0, created: 1 })
  expect(events.take()).toEqual(['created a', 'ended a deleted'])
})
