import { describe, expect, it } from 'vitest'
import { Keys, memberOf, parseMember } from '../../../src/redis/storage/keys.ts'
import { newToken } from '../../../src/redis/storage/tokens.ts'

const tagOf = (key: string) => /\{([^}]*)\}/.exec(key)?.[1]

describe('key names', () => {
  const keys = new Keys('sessions', 16)

  it.each(['ada', '__proto__', '{other}', '}{', ':*?[a]', '👩‍👩‍👧', 'x'.repeat(1024)])(
    'of one call have one hash tag, for any id: %s',
    (id) => {
      const shard = keys.shardOf(id)
      const tags = new Set([...keys.ofId(id, 'operation'), keys.tombstones(shard)].map(tagOf))

      expect([...tags]).toEqual([`sessions:${shard}`])
      expect(keys.session(id)).toEqual(keys.ofId(id).slice(0, 3))
    },
  )

  it('keep an id in the same shard', () => {
    // Part of the data format: a release that changed it would lose every session. Computed independently, in
    // another language.
    const shards = ['ada', 'bob', '__proto__', '👩‍👩‍👧', 'é'].map((id) => keys.shardOf(id))

    expect(shards).toEqual([9, 2, 11, 3, 12])
  })

  it('spread ids over all shards', () => {
    const counts = Array.from({ length: 16 }, () => 0)
    for (let index = 0; index < 16_000; index += 1) {
      const shard = keys.shardOf(`visitor-${index}`)
      counts[shard] = (counts[shard] ?? 0) + 1
    }

    expect(Math.min(...counts)).toBeGreaterThan(700)
    expect(Math.max(...counts)).toBeLessThan(1_300)
  })

  it('encode id and incarnation reversibly', () => {
    for (const id of ['ada', ':', 'a:b c', '👩‍👩‍👧']) {
      const name = { id, incarnation: newToken() }
      expect(parseMember(memberOf(name))).toEqual(name)
    }
  })
})
