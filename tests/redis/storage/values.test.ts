import { expect, it } from 'vitest'
import { testRegistry } from '../../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../../support/redis-suite.ts'
import { failureOf, sessionError } from '../../support/session-error.ts'

describeOnRedis('the default codec on Redis', (redis) => {
  it.each<[kind: string, value: unknown]>([
    ['a Map', new Map()],
    ['a Date', new Date(0)],
    ['a Buffer', Buffer.from('x')],
    ['NaN', Number.NaN],
    ['a bigint', 1n],
  ])('rejects %s in a turn and in `set`, names the path, and writes nothing', async (kind, at) => {
    const registry = await testRegistry<{ items: unknown[] }>(redis, {
      prefix: uniquePrefix(),
      create: () => ({ items: [] }),
    })
    await registry.run('ada', ({ value }) => value.items.push('kept'))

    for (const write of [
      () => registry.run('ada', ({ value }) => value.items.push({ at })),
      () => registry.set('ada', { items: ['kept', { at }] }),
      () => registry.getOrCreate('bob', () => ({ items: [0, { at }] })),
    ]) {
      const error = (await failureOf(write)) as Error
      expect(error).toEqual(sessionError('ERR_SESSION_VALUE_INVALID'))
      expect(error.message).toBe(`Expected \`value.items[1].at\` to be data that JSON keeps, got ${kind}`)
    }
    expect(await registry.get('ada')).toEqual({ items: ['kept'] })
    expect(await registry.has('bob')).toBe(false)
  })
})
