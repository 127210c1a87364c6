import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { SessionRecord } from '../../../src/memory/session/session-record.ts'
import { Sessions } from '../../../src/memory/session/sessions.ts'
import { noSlot } from '../../../src/memory/table/layout.ts'

const never = Number.POSITIVE_INFINITY

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
}

const tableOf = () => new Sessions<string>(1_000, never)

const said = ({ id, value, created, lastActive, timeoutMs, isHeld }: SessionRecord<string>) =>
  ({ id, value, created, lastActive, timeoutMs, isHeld }) as const

describe('the record of a session', () => {
  it('is made when it is first asked for, and the same from then on', () => {
    const table = tableOf()
    const slot = table.insert('a', 'one', undefined, 0)
    expect(table.record(slot)).toBeUndefined()
    const record = table.recordOf(slot)

    expect(table.recordOf(slot)).toBe(record)
    expect(table.record(slot)).toBe(record)
    expect([record.slot, table.detach(slot)]).toEqual([slot, record])
  })

  it('says what stands in its slot', () => {
    const table = tableOf()
    const slot = table.insert('a', 'one', 2_000, 10)
    const record = table.recordOf(slot)
    expect(said(record)).toEqual({
      id: 'a',
      value: 'one',
      created: 10,
      lastActive: 10,
      timeoutMs: 2_000,
      isHeld: false,
    })
    table.touch(slot, 20)
    table.assign(slot, 'two')
    table.assignTimeout(slot, never)
    table.hold(slot)

    expect(said(record)).toEqual({
      id: 'a',
      value: 'two',
      created: 10,
      lastActive: 20,
      timeoutMs: never,
      isHeld: true,
    })
    table.release(slot, 30)
    table.assignTimeout(slot, undefined)
    expect([record.isHeld, record.lastActive, record.timeoutMs]).toEqual([false, 30, 1_000])
  })

  it('sets the value of its session', () => {
    const table = tableOf()
    const slot = table.insert('a', 'one', undefined, 0)
    table.recordOf(slot).value = 'two'

    expect(table.valueOf(slot)).toBe('two')
  })

  it.each(['remove', 'detach'] as const)('says after `%s` what the session was', (leave) => {
    const table = tableOf()
    const slot = table.insert('a', 'one', 2_000, 10)
    const record = table.recordOf(slot)
    table.touch(slot, 20)
    table.hold(slot)
    table[leave](slot)
    // Another one has its slot now.
    expect(table.insert('b', 'other', 5_000, 100)).toBe(slot)
    expect([record.slot, table.recordOf(slot) === record]).toEqual([noSlot, false])
    expect(said(record)).toEqual({
      id: 'a',
      value: 'one',
      created: 10,
      lastActive: 20,
      timeoutMs: 2_000,
      isHeld: false,
    })
    record.value = 'after its end'

    expect(record.value).toBe('after its end')
    expect(table.valueOf(slot)).toBe('other')
  })

  it('is made of a session that had none when that is taken out', () => {
    const table = tableOf()
    const slot = table.insert('a', 'one', 2_000, 10)
    table.touch(slot, 20)
    const record = table.detach(slot)

    expect([record.slot, table.find('a'), table.size]).toEqual([noSlot, noSlot, 0])
    expect(said(record)).toEqual({
      id: 'a',
      value: 'one',
      created: 10,
      lastActive: 20,
      timeoutMs: 2_000,
      isHeld: false,
    })
  })

  it.each([true, false])('follows its slot again after it was put back (asked for before: %s)', (isKnown) => {
    const table = tableOf()
    const slot = table.insert('a', 'one', 2_000, 10)
    if (isKnown) table.recordOf(slot)
    const record = table.detach(slot)
    table.insert('b', 'other', undefined, 50)
    record.value = 'two'
    table.reinsert(record, 100)
    const again = table.find('a')

    expect(table.recordOf(again)).toBe(record)
    expect(said(record)).toEqual({
      id: 'a',
      value: 'two',
      created: 100,
      lastActive: 100,
      timeoutMs: 2_000,
      isHeld: false,
    })
    table.touch(again, 150)
    record.value = 'three'
    table.assignTimeout(again, 3_000)
    expect([record.lastActive, table.valueOf(again), record.timeoutMs]).toEqual([150, 'three', 3_000])
  })

  it('keeps no value in memory that was replaced after its session was put back', async () => {
    const table = new Sessions<object>(1_000, never)
    const record = table.detach(table.insert('a', {}, undefined, 0))
    const former = new WeakRef(record.value)
    table.reinsert(record, 0)
    table.assign(record.slot, {})
    // What a reference was made to stays until the present job is done.
    await setImmediate()
    collectGarbage()

    expect(former.deref()).toBeUndefined()
    expect(record.value).toEqual({})
  })

  it('has its times and its value again each time it leaves', () => {
    const table = tableOf()
    const record = table.detach(table.insert('a', 'one', 2_000, 0))
    for (let round = 1; round <= 3; round += 1) {
      table.reinsert(record, round * 100)
      table.assign(record.slot, `value ${round}`)
      table.touch(record.slot, round * 100 + 1)
      expect(table.detach(record.slot)).toBe(record)
      expect([record.value, record.created, record.lastActive]).toEqual([
        `value ${round}`,
        round * 100,
        round * 100 + 1,
      ])
    }
  })
})
