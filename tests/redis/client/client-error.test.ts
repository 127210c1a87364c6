import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { redactArguments } from '../../../src/redis/client/client-error.ts'

const id = 'the-id-of-ada'
const value = 'the-value-of-ada'
const keys = [`{sessions:3}:s:${id}`, '{sessions:3}:dl']
const args = [id, '604800000', value]

/**
 * Returns everything that an error shows: to a logger that reads its fields, to a console, and in hidden
 * ones.
 */
function shown(error: unknown): string {
  return [
    JSON.stringify(error),
    inspect(error, { depth: 20, showHidden: true }),
    String(error),
    (error as Error).stack,
  ].join('\n')
}

describe('the copy of a client’s error', () => {
  it('has its name, message, code and stack', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED'), {
      name: 'ConnectionError',
      code: 'ECONNREFUSED',
    })
    const kept = redactArguments(error, keys)

    expect(kept).toBeInstanceOf(Error)
    expect(kept).toMatchObject({
      name: 'ConnectionError',
      message: 'connect ECONNREFUSED',
      code: 'ECONNREFUSED',
    })
    expect(kept.stack).toBe(error.stack)
  })

  it.each<[string, Error]>([
    [
      'the command of ioredis',
      Object.assign(new Error('OOM command not allowed'), {
        name: 'ReplyError',
        command: { name: 'evalsha', args: ['sha', '2', ...keys, ...args] },
      }),
    ],
    [
      'the command in the words of the server',
      new Error(
        `ERR unknown command 'EVALSHA', with args beginning with: 'sha' '2' '${keys.join("' '")}' '${id}'`,
      ),
    ],
    [
      'the command in the words of a REST client',
      new Error(`OOM not allowed, command was: ${JSON.stringify(['evalsha', 'sha', 2, ...keys, ...args])}`),
    ],
    [
      'another call that was sent together with it',
      new Error(
        `OOM not allowed: ${JSON.stringify([['evalsha', 'sha', 1, `{sessions:12}:s:${id}`, id, value]])}`,
      ),
    ],
    ['its cause', new Error('failed', { cause: Object.assign(new Error('inner'), { command: { args } }) })],
    ['what it is made of', new AggregateError([new Error(value)], 'All nodes failed')],
  ])('has nothing of the call: %s', (_, error) => {
    const text = shown(redactArguments(error, keys))

    expect(text).not.toContain(id)
    expect(text).not.toContain(value)
    expect(text).toContain(error.message.slice(0, 6))
  })

  it('has nothing of the call if the prefix has to be escaped in JSON', () => {
    const quoted = ['{a"b:3}:s:ada']
    const message = `failed: ${JSON.stringify([...quoted, value])}`

    expect(redactArguments(new Error(message), quoted).message).toBe('failed: ["…')
  })

  it('is made by shape, for errors of another realm and for other values', () => {
    const foreign = runInNewContext("Object.assign(new TypeError('no such thing'), { code: 'ERR_X' })")
    expect(redactArguments(foreign, keys)).toMatchObject({
      name: 'TypeError',
      message: 'no such thing',
      code: 'ERR_X',
    })
    for (const thrown of ['text', 7, null, undefined, () => {}]) {
      expect(redactArguments(thrown, keys).message).toMatch(/^The client rejected with a value of type/)
    }
  })

  it('ends at a cycle of causes', () => {
    const error = new Error('round')
    error.cause = error

    expect(redactArguments(error, keys).message).toBe('round')
  })
})
