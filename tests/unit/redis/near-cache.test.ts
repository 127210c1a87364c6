import { describe, expect, it } from 'vitest'
import { NearCache } from '../../../src/redis/near-cache.ts'

const known = (text: string, version = '1') => ({ incarnation: 'g', version, text })

describe('the near-cache', () => {
  it('gives the text that was last set', () => {
    const cache = new NearCache()
    cache.set('a', known('first'))
    cache.set('a', known('second', '2'))

    expect(cache.get('a')).toEqual(known('second', '2'))
    expect(cache.get('b')).toBeUndefined()
    cache.delete('a')
    expect(cache.get('a')).toBeUndefined()
  })

  it('lets the text go that was set the longest ago when there are too many units', () => {
    const cache = new NearCache(10)
    cache.set('a', known('12345'))
    cache.set('b', known('12345'))
    cache.set('a', known('54321'))
    cache.set('c', known('12345'))

    expect(cache.get('a')).toEqual(known('54321'))
    expect(cache.get('b')).toBeUndefined()
    expect(cache.get('c')).toBeDefined()
  })

  it('keeps no text that is too long, nor the older one of that id', () => {
    const cache = new NearCache(10)
    cache.set('b', known('12345'))
    cache.set('a', known('123'))
    cache.set('a', known('12345678901', '2'))

    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('b')).toBeDefined()
  })

  it('counts again what was deleted or replaced', () => {
    const cache = new NearCache(10)
    for (let round = 0; round < 100; round += 1) {
      cache.set('a', known('1234567890'))
      cache.delete('a')
      cache.delete('a')
    }
    cache.set('b', known('1234567890'))

    expect(cache.get('b')).toBeDefined()
  })
})
