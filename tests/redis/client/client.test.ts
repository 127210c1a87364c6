import type { GlideClient, GlideClusterClient } from '@valkey/valkey-glide'
import type { Redis as Ioredis, Cluster as IoredisCluster } from 'ioredis'
import type { Redis as Iovalkey } from 'iovalkey'
import type { createClient, createClientPool, createCluster } from 'redis'
import { RedisSessionRegistry } from 'session-registry/redis'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { type ClientScript, detectClient, type RedisClient } from '../../../src/redis/client/client.ts'
import { Script } from '../../../src/redis/client/script.ts'
import { sessionError, thrownBy } from '../../support/session-error.ts'

const script = new Script('test', 'return 1')
const unknownScript = (message: string) => vi.fn().mockRejectedValue(new Error(message))
const answers = () => vi.fn().mockResolvedValue('answer')

describe('a client', () => {
  it('of node-redis is called with keys and arguments', async () => {
    const client = { evalSha: answers(), eval: answers() }

    expect(await detectClient(client)(script, ['k'], ['a', 'b'])).toBe('answer')
    expect(client.evalSha).toHaveBeenCalledExactlyOnceWith(script.sha, { keys: ['k'], arguments: ['a', 'b'] })
    expect(client.eval).not.toHaveBeenCalled()
  })

  it('of ioredis or iovalkey is called with the number of keys', async () => {
    const client = { evalsha: answers(), eval: answers() }

    expect(await detectClient(client)(script, ['k', 'l'], ['a'])).toBe('answer')
    expect(client.evalsha).toHaveBeenCalledExactlyOnceWith(script.sha, 2, 'k', 'l', 'a')
  })

  it('of GLIDE is called with a command object', async () => {
    const client = { customCommand: answers() }

    expect(await detectClient(client)(script, ['k'], ['a'])).toBe('answer')
    expect(client.customCommand).toHaveBeenCalledExactlyOnceWith(['EVALSHA', script.sha, '1', 'k', 'a'])
  })

  it('of any other kind is called with the script, its keys and its arguments', async () => {
    const client = { run: answers() }

    expect(await detectClient(client)(script, ['k'], ['a', 'b'])).toBe('answer')
    const { source, sha } = script
    expect(client.run).toHaveBeenCalledExactlyOnceWith({ source, sha }, ['k'], ['a', 'b'])
  })

  it('of any other kind is called again without the hash if the server does not know the script', async () => {
    const client = {
      run: vi.fn(async ({ sha }: ClientScript) => {
        if (sha !== undefined) throw new Error('request failed: NOSCRIPT No matching script.')
        return 'answer'
      }),
    }

    expect(await detectClient(client)(script, ['k'], ['a'])).toBe('answer')
    expect(client.run).toHaveBeenCalledTimes(2)
    expect(client.run).toHaveBeenLastCalledWith({ source: script.source, sha: undefined }, ['k'], ['a'])
  })

  it('of a known library is recognised although it has a `run` of its own', async () => {
    const client = { evalSha: answers(), eval: answers(), run: answers() }
    await detectClient(client)(script, ['k'], [])

    expect(client.evalSha).toHaveBeenCalled()
    expect(client.run).not.toHaveBeenCalled()
  })

  it('receives the source of a script that the server does not know', async () => {
    const noScript = 'NOSCRIPT No matching script. Please use EVAL.'
    const nodeRedis = { evalSha: unknownScript(noScript), eval: answers() }
    const ioredis = { evalsha: unknownScript(noScript), eval: answers() }
    const glide = {
      customCommand: vi.fn(async ([command]: string[]) => {
        if (command === 'EVALSHA') throw new Error('An error was signalled by the server: - NoScriptError: …')
        return 'answer'
      }),
    }
    for (const client of [nodeRedis, ioredis, glide]) {
      expect(await detectClient(client)(script, ['k'], ['a'])).toBe('answer')
    }

    expect(nodeRedis.eval).toHaveBeenCalledWith(script.source, { keys: ['k'], arguments: ['a'] })
    expect(ioredis.eval).toHaveBeenCalledWith(script.source, 1, 'k', 'a')
    expect(glide.customCommand).toHaveBeenLastCalledWith(['EVAL', script.source, '1', 'k', 'a'])
  })

  it('passes on any other error, and sends no source', async () => {
    const client = { evalsha: unknownScript('OOM command not allowed'), eval: answers() }

    await expect(detectClient(client)(script, ['k'], [])).rejects.toThrow('OOM')
    expect(client.eval).not.toHaveBeenCalled()
  })

  it('is called with its own `this`', async () => {
    class Client {
      readonly #prefix = 'answer to'
      async evalsha(_sha: string, keys: number): Promise<string> {
        return `${this.#prefix} ${keys} key`
      }
      async eval(): Promise<string> {
        return this.#prefix
      }
    }

    expect(await detectClient(new Client())(script, ['k'], [])).toBe('answer to 1 key')
  })

  it.each([
    undefined,
    null,
    'redis://localhost',
    7,
    {},
    [],
    new Map(),
    { evalSha: 'not a function', eval: () => {} },
    { evalSha: () => {} },
    { get: () => {}, set: () => {} },
  ])('is refused in the constructor if it is not one: %o', (client) => {
    const error = thrownBy(() => new RedisSessionRegistry({ client } as never)) as Error

    expect(error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(error.message).toContain('`client`')
  })

  it('of each library is accepted by the compiler too', () => {
    expectTypeOf<ReturnType<typeof createClient>>().toExtend<RedisClient>()
    expectTypeOf<ReturnType<typeof createCluster>>().toExtend<RedisClient>()
    expectTypeOf<ReturnType<typeof createClientPool>>().toExtend<RedisClient>()
    expectTypeOf<Ioredis>().toExtend<RedisClient>()
    expectTypeOf<IoredisCluster>().toExtend<RedisClient>()
    expectTypeOf<Iovalkey>().toExtend<RedisClient>()
    expectTypeOf<GlideClient>().toExtend<RedisClient>()
    expectTypeOf<GlideClusterClient>().toExtend<RedisClient>()
    expectTypeOf<{
      run(script: { source: string; sha: string }, keys: string[]): Promise<unknown>
    }>().toExtend<RedisClient>()
    expectTypeOf<Map<string, string>>().not.toExtend<RedisClient>()
  })
})
