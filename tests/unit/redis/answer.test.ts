import { describe, expect, it } from 'vitest'
import { Answer } from '../../../src/redis/answer.ts'

describe('an answer', () => {
  it.each([
    ['strings', ['1', 'né', '-1']],
    ['numbers', [1, 'né', -1]],
    ['big integers', [1n, 'né', -1n]],
    ['buffers', [Buffer.from('1'), Buffer.from('né'), Buffer.from('-1')]],
    ['byte arrays', [new TextEncoder().encode('1'), new TextEncoder().encode('né'), '-1']],
  ])('is read alike from %s', (_name, parts) => {
    const answer = new Answer(parts)

    expect(answer.rest).toBe(3)
    expect(answer.number()).toBe(1)
    expect(answer.text()).toBe('né')
    expect(answer.number()).toBe(-1)
    expect(answer.rest).toBe(0)
  })

  it('of one number is read like a list of one', () => {
    expect(new Answer(7).number()).toBe(7)
    expect(new Answer('7').number()).toBe(7)
  })

  it('has an empty text where there is nothing', () => {
    expect(new Answer([null, undefined]).text()).toBe('')
    expect(new Answer([]).text()).toBe('')
  })
})
