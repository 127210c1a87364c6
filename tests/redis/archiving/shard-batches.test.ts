import { describe, expect, it } from 'vitest'
import { ConstructionContext } from '../../../src/core/async/construction-context.ts'
import {
  type Answer,
  again,
  alone,
  type CallForBatch,
  ShardBatches,
} from '../../../src/redis/archiving/shard-batches.ts'

describe('ShardBatches', () => {
  function batches(answer: (request: number, size: number) => Answer<string>) {
    const calls: [shard: number, requests: readonly number[]][] = []
    const call: CallForBatch<number, string> = async (shard, requests) => {
      calls.push([shard, requests])
      return requests.map((request) => answer(request, requests.length))
    }
    return { calls, batches: new ShardBatches(new ConstructionContext(), call) }
  }

  it('ask: requests of one shard are one call, of at most 32', async () => {
    const { calls, batches: asked } = batches((request) => `answer ${request}`)
    const requests = Array.from({ length: 40 }, (_, index) => index)
    const answers = [...requests.map((request) => asked.ask(0, request)), asked.ask(1, 99)]

    expect(await Promise.all(answers)).toEqual([...requests, 99].map((request) => `answer ${request}`))
    expect(calls.map(([shard, { length }]) => [shard, length])).toEqual([
      [0, 32],
      [0, 8],
      [1, 1],
    ])
    await asked.ask(0, 1)
    expect(calls).toHaveLength(4)
  })

  it('ask: a request that is to be alone, or was not come to, is sent again', async () => {
    const { calls, batches: asked } = batches((request, size) => {
      if (size === 1) return 'alone'
      if (size === 2) return 'again'
      return request === 0 ? 'first' : request === 1 ? alone : again
    })
    const answers = [0, 1, 2, 3].map((request) => asked.ask(0, request))

    expect(await Promise.all(answers)).toEqual(['first', 'alone', 'again', 'again'])
    expect(calls.map(([, requests]) => requests)).toEqual([[0, 1, 2, 3], [1], [2, 3]])
  })

  it('ask: a failed call rejects its own requests', async () => {
    const failure = new Error('no reply')
    const { batches: asked } = batches((request) => {
      if (request === 0) throw failure
      return 'answered'
    })
    const answers = await Promise.allSettled([asked.ask(0, 0), asked.ask(0, 1), asked.ask(1, 2)])

    expect(answers).toEqual([
      { status: 'rejected', reason: failure },
      { status: 'rejected', reason: failure },
      { status: 'fulfilled', value: 'answered' },
    ])
  })
})
