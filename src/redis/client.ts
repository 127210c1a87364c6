import { invalidOption } from '../core/validate.ts'
import type { Script } from './script.ts'

/** node-redis 5 or newer: a client, a cluster, a pool or a sentinel. */
interface NodeRedisClient {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(source: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** ioredis 5 or newer, or iovalkey: a client or a cluster. */
interface IoredisClient {
  evalsha(sha: string, numberOfKeys: number, ...keysAndArgs: string[]): Promise<unknown>
  eval(source: string, numberOfKeys: number, ...keysAndArgs: string[]): Promise<unknown>
}

/** Valkey GLIDE: a client or a cluster client, which finds the node by the keys of a script. */
interface GlideClient {
  customCommand(args: string[]): Promise<unknown>
}

/**
 * A client of Redis or Valkey: node-redis 5 or newer, ioredis 5 or newer, iovalkey, or GLIDE; of one server or a cluster.
 *
 * It is recognised by its methods: nothing of it is imported. It must be connected, or connect by itself.
 */
export type RedisClient = NodeRedisClient | IoredisClient | GlideClient

/** Runs a script on the server that has its keys. */
export type RunScript = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<unknown>

/** @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` */
export function recogniseClient(client: unknown): RunScript {
  if (has<NodeRedisClient>(client, 'evalSha', 'eval')) {
    return orSource(
      (sha, keys, args) => client.evalSha(sha, { keys: [...keys], arguments: [...args] }),
      (source, keys, args) => client.eval(source, { keys: [...keys], arguments: [...args] }),
    )
  }
  if (has<IoredisClient>(client, 'evalsha', 'eval')) {
    return orSource(
      (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
      (source, keys, args) => client.eval(source, keys.length, ...keys, ...args),
    )
  }
  if (has<GlideClient>(client, 'customCommand')) {
    const call = (command: string, what: string, keys: readonly string[], args: readonly string[]) =>
      client.customCommand([command, what, String(keys.length), ...keys, ...args])
    return orSource(
      (sha, keys, args) => call('EVALSHA', sha, keys, args),
      (source, keys, args) => call('EVAL', source, keys, args),
    )
  }
  throw invalidOption('client', 'a client of node-redis, ioredis, iovalkey or GLIDE', client)
}

type Evaluate = (what: string, keys: readonly string[], args: readonly string[]) => Promise<unknown>

/**
 * By its hash, and by its source where the server does not know it: after a restart, a failover, `SCRIPT FLUSH`, or
 * because Redis has let a script go that was not used for long.
 */
function orSource(bySha: Evaluate, bySource: Evaluate): RunScript {
  return async ({ sha, source }, keys, args) => {
    try {
      return await bySha(sha, keys, args)
    } catch (error) {
      if (!isUnknownScript(error)) throw error
      return bySource(source, keys, args)
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && /NOSCRIPT|NoScriptError/.test(error.message)
}

function has<C>(client: unknown, ...methods: readonly (keyof C & string)[]): client is C {
  if ((typeof client !== 'object' && typeof client !== 'function') || client === null) return false
  const candidate = client as Record<string, unknown>
  return methods.every((method) => typeof candidate[method] === 'function')
}
