import { describe, expect, it } from 'vitest'
import { KeyedCalls } from '../../../src/core/storing/keyed-calls.ts'
import { deferred } from '../../support/deferred.ts'
import { context } from '../../support/store-session.ts'

/** Abandons a write of `key`, which settles when the test has it settle. */
async function abandoned(writes: KeyedCalls, key: string) {
  const write = deferred()
  const signal = AbortSignal.abort(new Error('given up'))
  const controller = new AbortController()
  const outcome = writes.write(key, controller.signal, () => write.promise)
  controller.abort(signal.reason)
  await expect(outcome).rejects.toBe(signal.reason)
  return write
}

const { signal } = context()

describe('calls that cannot be stopped', () => {
  it('settle as their calls do', async () => {
    const writes = new KeyedCalls()

    expect(await writes.write('a', signal, async () => 7)).toBe(7)
    await expect(writes.write('a', signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await writes.read('a', signal, async () => 8)).toBe(8)
  })

  it('are not begun when the signal has aborted', async () => {
    const writes = new KeyedCalls()
    const gone = AbortSignal.abort()
    let calls = 0
    const call = async () => {
      calls += 1
    }

    await expect(writes.write('a', gone, call)).rejects.toBe(gone.reason)
    await expect(writes.read('a', gone, call)).rejects.toBe(gone.reason)
    expect(calls).toBe(0)
  })

  it('tell their outcome if they settle soon after the abort', async () => {
    const writes = new KeyedCalls()
    const write = deferred<string>()
    const controller = new AbortController()
    const outcome = writes.write('a', controller.signal, () => write.promise)
    controller.abort()
    write.resolve('written all the same')

    expect(await outcome).toBe('written all the same')
  })

  it('are abandoned about a second after the abort', async () => {
    const startedAt = performance.now()
    await abandoned(new KeyedCalls(), 'a')

    expect(performance.now() - startedAt).toBeGreaterThan(500)
    expect(performance.now() - startedAt).toBeLessThan(4_000)
  })

  it.each(['resolve', 'reject'] as const)('hold up every call of their key until they %s', async (way) => {
    const writes = new KeyedCalls()
    const write = await abandoned(writes, 'a')
    const steps: string[] = []
    const calls = [
      writes.read('a', signal, async () => void steps.push('read')),
      writes.write('a', signal, async () => void steps.push('write')),
    ]
    await writes.write('b', signal, async () => void steps.push('another key'))
    expect(steps).toEqual(['another key'])
    if (way === 'resolve') write.resolve()
    else write.reject(new Error('lost'))
    await Promise.all(calls)

    expect(steps.toSorted()).toEqual(['another key', 'read', 'write'])
  })

  it('hold up a call no longer than its own signal lets them', async () => {
    const writes = new KeyedCalls()
    await abandoned(writes, 'a')
    const controller = new AbortController()
    let calls = 0
    const read = writes.read('a', controller.signal, async () => {
      calls += 1
    })
    controller.abort()

    await expect(read).rejects.toBe(controller.signal.reason)
    expect(calls).toBe(0)
  })

  it('are made one after the other where they write, in the order asked', async () => {
    const writes = new KeyedCalls()
    const steps: string[] = []
    const step = (name: string) => async () => {
      steps.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      steps.push(`${name} ends`)
    }
    await Promise.all([
      writes.write('a', signal, step('first')),
      writes.write('a', signal, step('second')),
      writes.read('a', signal, step('read')),
    ])

    expect(steps).toEqual([
      'first begins',
      'first ends',
      'second begins',
      'second ends',
      'read begins',
      'read ends',
    ])
  })

  it('take themselves out of the line when their signal aborts, and let the next one begin in its turn', async () => {
    const writes = new KeyedCalls()
    const first = deferred()
    const controller = new AbortController()
    const steps: string[] = []
    const calls = [
      writes.write('a', signal, () => first.promise),
      writes.write('a', controller.signal, async () => void steps.push('second')),
      writes.write('a', signal, async () => void steps.push('third')),
    ]
    controller.abort()
    await expect(calls[1]).rejects.toBe(controller.signal.reason)
    expect(steps).toEqual([])
    first.resolve()
    await calls[2]

    expect(steps).toEqual(['third'])
  })

  it('go on after one that has thrown at once', async () => {
    const writes = new KeyedCalls()
    const thrown = writes.write('a', signal, () => {
      throw new Error('at once')
    })

    await expect(thrown).rejects.toThrow('at once')
    expect(await writes.write('a', signal, async () => 7)).toBe(7)
  })
})
