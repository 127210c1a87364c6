import { describe, expect, it } from 'vitest'
import { SessionIndex } from '../../src/memory/session-index.ts'

/** Beyond the size at which one `Map` becomes many. */
const many = 300_000

function filled(count: number): SessionIndex<number> {
  const index = new SessionIndex<number>()
  for (let at = 0; at < count; at += 1) index.add(`session-${at}`, at)
  return index
}

describe('SessionIndex', () => {
  it('finds every entry, before and after it has become many maps', () => {
    const index = new SessionIndex<number>()
    const isMissing = (at: number) => index.get(`session-${at}`) !== at
    for (let at = 0; at < many; at += 1) {
      index.add(`session-${at}`, at)
      if (isMissing(at) || isMissing(at >>> 1)) expect.fail(`entry ${at} was not found`)
    }
    expect(index.size).toBe(many)
    expect(Array.from({ length: many }, (_, at) => at).filter(isMissing)).toEqual([])
    expect(index.get(`session-${many}`)).toBeUndefined()
    expect(index.get('')).toBeUndefined()
  })

  it('gives each value once, those that have moved included', () => {
    const index = filled(many)
    for (let at = 0; at < many; at += 3) index.get(`session-${at}`)
    const values = index.values()
    expect(values).toHaveLength(many)
    expect(new Set(values).size).toBe(many)
  })

  it('deletes entries that have moved, and entries that have not', () => {
    const index = filled(many)
    for (let at = 0; at < many; at += 2) index.get(`session-${at}`)
    for (let at = 0; at < many; at += 1) index.delete(`session-${at}`)
    expect(index.size).toBe(0)
    expect(index.values()).toEqual([])
    expect(index.get('session-0')).toBeUndefined()
    expect(index.get('session-1')).toBeUndefined()
  })

  it('counts an id once that is deleted twice', () => {
    const index = filled(2)
    index.delete('session-0')
    index.delete('session-0')
    index.delete('session-7')
    expect(index.size).toBe(1)
  })

  it('starts again after all have gone', () => {
    const index = filled(many)
    for (let at = 0; at < many; at += 1) index.delete(`session-${at}`)
    for (const id of ['b', 'a', 'c']) index.add(id, id.charCodeAt(0))
    expect(index.values()).toEqual([98, 97, 99])
  })

  it.each([
    ['one unit', (at: number) => String.fromCharCode(at)],
    ['the same beginning', (at: number) => `${'x'.repeat(500)}${at}`],
    ['the same end', (at: number) => `${at}${'x'.repeat(500)}`],
    ['characters beyond the first plane', (at: number) => `😀${at}`],
  ])('finds ids of %s', (_name, idOf) => {
    const index = filled(many)
    for (let at = 0; at < 2_000; at += 1) index.add(idOf(at), at)
    for (let at = 0; at < 2_000; at += 1) expect(index.get(idOf(at))).toBe(at)
  })
})
