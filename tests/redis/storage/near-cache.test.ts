import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { NearCache } from '../../../src/redis/storage/near-cache.ts'

const known = (text: string, version = '1') => ({ incarnation: 'g', version, text })

/** Returns the bytes of `count` entries with one letter as id and ten letters as text. */
const roomFor = (entries: number) => entries * (320 + 2 * 11)

describe('near-cache', () => {
  it('get: returns the text that was last set', () => {
    const cache = new NearCache()
    cache.set('a', known('first'))
    cache.set('a', known('second', '2'))

    expect(cache.get('a')).toEqual(known('second', '2'))
    expect(cache.get('b')).toBeUndefined()
    cache.delete('a')
    expect(cache.get('a')).toBeUndefined()
  })

  it('eviction: drops the least recently used texts when the bytes are used up, an eighth at once', () => {
    const cache = new NearCache(roomFor(8))
    for (const id of 'abcdefgh') cache.set(id, known('1234567890'))
    cache.get('a')
    cache.set('i', known('1234567890'))

    expect([...'abcdefghi'].filter((id) => cache.get(id) !== undefined).join('')).toBe('adefghi')
  })

  it('eviction: counts the id and a fixed cost, so that empty texts are limited too', () => {
    const cache = new NearCache(2 * 320 + 2 * 1)
    cache.set('a', known(''))
    cache.set('b', known(''))
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, known('')])

    cache.set('x'.repeat(400), known(''))
    expect(cache.get('x'.repeat(400))).toBeUndefined()
  })

  it('too long a text: is not cached, nor the older one of that id, and evicts nothing', () => {
    const cache = new NearCache(roomFor(2))
    cache.set('b', known('12345'))
    cache.set('a', known('123'))
    cache.set('a', known('x'.repeat(400), '2'))

    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('b')).toBeDefined()
  })

  it('counting: deleted and replaced texts leave nothing behind', () => {
    const cache = new NearCache(roomFor(1))
    for (let round = 0; round < 100; round += 1) {
      cache.set('a', known('1234567890'))
      cache.delete('a')
      cache.delete('a')
    }
    cache.set('b', known('1234567890'))

    expect(cache.get('b')).toBeDefined()
  })

  it('end of a session: removes the text of that incarnation, not of a later one', () => {
    const cache = new NearCache()
    cache.set('a', known('text'))
    cache.forget({ id: 'a', incarnation: 'an earlier one' })
    expect(cache.get('a')).toBeDefined()

    cache.forget({ id: 'a', incarnation: 'g' })
    expect(cache.get('a')).toBeUndefined()
  })

  it('memory: 500 000 visitors with empty values fit into a heap of 64 MB', { timeout: 60_000 }, async () => {
    const program = fileURLToPath(new URL('../../support/near-cache-memory.ts', import.meta.url))
    const args = ['--max-old-space-size=64', '--import', 'tsx', program]
    const { stdout } = await promisify(execFile)(process.execPath, args)

    expect(JSON.parse(stdout)).toEqual({ last: '[]', first: 'forgotten' })
  })
})
