import { describe, expect, it } from 'vitest'
import { AgeList } from '../../src/memory/age-list.ts'
import { IdleClass } from '../../src/memory/idle-class.ts'
import { SessionList, unlink } from '../../src/memory/session-list.ts'
import { AgingSessionRecord, SessionRecord } from '../../src/memory/session-record.ts'

const idleClass = new IdleClass<number>(1_000)
const record = (id: string) => new SessionRecord(id, 0, idleClass, 0)
const aging = (id: string) => new AgingSessionRecord(id, 0, idleClass, 0)

function listOf(ids: string) {
  const list = new SessionList<number>(record(''))
  const records = Array.from(ids, record)
  for (const one of records) list.append(one)
  return { list, records }
}

const idsOf = (list: SessionList<number>) => Array.from(list, ({ id }) => id).join('')

describe('a list of sessions', () => {
  it('is empty at first', () => {
    const { list } = listOf('')

    expect(list.first).toBeUndefined()
    expect(list.last).toBeUndefined()
    expect(idsOf(list)).toBe('')
  })

  it('keeps the order in which records were appended', () => {
    const { list } = listOf('abc')

    expect(idsOf(list)).toBe('abc')
    expect([list.first?.id, list.last?.id]).toEqual(['a', 'c'])
  })

  it('inserts after a record, or at the front', () => {
    const { list, records } = listOf('ab')
    list.insertAfter(record('x'), records[0])
    list.insertAfter(record('y'), undefined)
    list.insertAfter(record('z'), records[1])

    expect(idsOf(list)).toBe('yaxbz')
  })

  it('knows the record before another, and that there is none before the first', () => {
    const { list, records } = listOf('ab')

    expect(records.map((one) => list.before(one)?.id)).toEqual([undefined, 'a'])
  })

  it.each([
    ['a', 'bc'],
    ['b', 'ac'],
    ['c', 'ab'],
  ])('lets %s go, which then knows no neighbour', (id, rest) => {
    const { list, records } = listOf('abc')
    const one = records.find((candidate) => candidate.id === id)
    if (one === undefined) throw new Error('no such record')
    unlink(one)
    unlink(one)

    expect(idsOf(list)).toBe(rest)
    expect([one.prev, one.next]).toEqual([one, one])
  })

  it.each([
    ['ab', 'cd', 'abcd'],
    ['', 'cd', 'cd'],
    ['ab', '', 'ab'],
  ])('takes all of another list: %s and %s', (mine, others, together) => {
    const { list } = listOf(mine)
    const { list: other } = listOf(others)
    list.takeAll(other)
    expect(idsOf(list)).toBe(together)
    expect(idsOf(other)).toBe('')
    other.append(record('x'))
    list.append(record('y'))

    expect([idsOf(list), idsOf(other)]).toEqual([`${together}y`, 'x'])
  })
})

describe('a list by age', () => {
  it('gives the oldest first, and a released one that is over before it', () => {
    const list = new AgeList<number>(aging(''))
    const [a, b, c] = [aging('a'), aging('b'), aging('c')]
    expect(list.oldest).toBeUndefined()
    list.append(a)
    list.append(b)
    expect(list.oldest?.id).toBe('a')
    list.prepend(c)
    expect(list.oldest?.id).toBe('c')
    list.remove(c)
    list.remove(a)

    expect(list.oldest?.id).toBe('b')
    expect([list.has(a), list.has(b), list.has(c)]).toEqual([false, true, false])
  })
})
