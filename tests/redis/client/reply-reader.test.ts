import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { readReply } from '../../../src/redis/client/reply.ts'
import { ReplyReader } from '../../../src/redis/client/reply-reader.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'

describe('a reply', () => {
  it.each([
    ['strings', ['1', 'né', '-1']],
    ['numbers', [1, 'né', -1]],
    ['big integers', [1n, 'né', -1n]],
    ['buffers', [Buffer.from('1'), Buffer.from('né'), Buffer.from('-1')]],
    ['byte arrays', [new TextEncoder().encode('1'), new TextEncoder().encode('né'), '-1']],
    [
      'bytes of another realm',
      runInNewContext('[[49], [110, 195, 169], [45, 49]].map((bytes) => Uint8Array.from(bytes))'),
    ],
  ])('is read equally from %s', (_name, components) => {
    const answer = new ReplyReader(components)

    expect(answer.remaining).toBe(3)
    expect(answer.readNumber()).toBe(1)
    expect(answer.readText()).toBe('né')
    expect(answer.readNumber()).toBe(-1)
    expect(answer.remaining).toBe(0)
  })

  it('of one number is read like a list of one', () => {
    expect(new ReplyReader(7).readNumber()).toBe(7)
    expect(new ReplyReader('7').readNumber()).toBe(7)
  })

  it('with anything but texts and numbers is not a reply of the server', () => {
    for (const part of [{}, ['x'], { a: 1 }]) {
      expect(thrownBy(() => new ReplyReader([part]).readText())).toEqual(
        sessionError('ERR_SESSION_OPTION_INVALID'),
      )
    }
  })

  it('has an empty text for nil', () => {
    expect(new ReplyReader([null, undefined]).readText()).toBe('')
    expect(new ReplyReader([]).readText()).toBe('')
  })
})

describe('the reply of a script', () => {
  it.each([
    ['numbers', [1, 1_700_000_000_000, 'answer']],
    ['texts', ['1', '1700000000000', 'answer']],
    ['big integers', [1n, 1_700_000_000_000n, 'answer']],
    ['buffers', [Buffer.from('1'), Buffer.from('1700000000000'), 'answer']],
  ])('is read equally from %s', (_, reply) => {
    expect(readReply(reply)).toEqual({ isRefused: false, now: 1_700_000_000_000, result: 'answer' })
  })

  it('reports that the script came too late', () => {
    expect(readReply([0, 1_700_000_000_000])).toMatchObject({ isRefused: true, now: 1_700_000_000_000 })
  })
})
