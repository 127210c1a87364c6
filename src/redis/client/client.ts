import { invalidOption } from '../../core/options/validate.ts'
import { readError, serverCode } from './client-error.ts'
import type { Script } from './script.ts'

/*
 * The way of a call, from a store to the server:
 *
 *   SessionStore, ClaimStore …      arguments and replies of each script
 *     └▶ ArchiverHeartbeat          first records that some process archives (archiving/)
 *         └▶ ShardGuard             first checks that all processes use the same number of shards
 *             └▶ RetryingCaller     deadline in server time (server-clock.ts), repeats (failure.ts), timeouts
 *                 └▶ RunScript      EVALSHA, else EVAL, on whichever client the user has (this file)
 *
 * Replies come back through `readReply` (did the script run, and when) and `ReplyReader` (its result).
 */

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

/** A script for {@link ScriptClient.run}. */
export interface ClientScript {
  /** The Lua source, for `EVAL`. */
  readonly source: string
  /**
   * The SHA-1 of the source, for `EVALSHA`; `undefined` where the server has just replied that it does not
   * know the script.
   */
  readonly sha: string | undefined
}

/**
 * The interface of any other client, such as Upstash's REST client or Bun's.
 *
 * @example
 * const client: ScriptClient = {
 *   run: ({ source, sha }, keys, args) =>
 *     redis.send(sha === undefined ? 'EVAL' : 'EVALSHA', [
 *       sha ?? source,
 *       String(keys.length),
 *       ...keys,
 *       ...args,
 *     ]),
 * }
 */
export interface ScriptClient {
  /**
   * Runs a script on the server that has its keys, and resolves with the reply unchanged: numbers, strings or
   * bytes, in nested arrays.
   *
   * Rejects where the reply is an error, with an error whose `message` is the server's. On `NOSCRIPT` it is
   * called again without `sha`; a client that always sends the source never gets there.
   */
  run(script: ClientScript, keys: string[], args: string[]): Promise<unknown>
}

/**
 * A client of Redis or Valkey, of one server or a cluster: node-redis 5 or newer, ioredis 5 or newer,
 * iovalkey, GLIDE, or any other in the shape of a {@link ScriptClient}.
 *
 * It is recognised by its methods; nothing of it is imported. It must be connected, or connect by itself.
 */
export type RedisClient = NodeRedisClient | IoredisClient | GlideClient | ScriptClient

/** Runs a script on the server that has its keys. */
export type RunScript = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<unknown>

/**
 * Returns what runs scripts on this client.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function detectClient(client: unknown): RunScript {
  if (hasMethods<NodeRedisClient>(client, 'evalSha', 'eval')) {
    return withSourceFallback(
      (sha, keys, args) => client.evalSha(sha, { keys: [...keys], arguments: [...args] }),
      (source, keys, args) => client.eval(source, { keys: [...keys], arguments: [...args] }),
    )
  }
  if (hasMethods<IoredisClient>(client, 'evalsha', 'eval')) {
    return withSourceFallback(
      (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
      (source, keys, args) => client.eval(source, keys.length, ...keys, ...args),
    )
  }
  if (hasMethods<GlideClient>(client, 'customCommand')) {
    const call = (command: string, shaOrSource: string, keys: readonly string[], args: readonly string[]) =>
      client.customCommand([command, shaOrSource, String(keys.length), ...keys, ...args])
    return withSourceFallback(
      (sha, keys, args) => call('EVALSHA', sha, keys, args),
      (source, keys, args) => call('EVAL', source, keys, args),
    )
  }
  if (hasMethods<ScriptClient>(client, 'run')) {
    return withSourceFallback(
      (sha, keys, args, { source }) => client.run({ source, sha }, [...keys], [...args]),
      (source, keys, args) => client.run({ source, sha: undefined }, [...keys], [...args]),
    )
  }
  throw invalidOption(
    'client',
    'a client of node-redis, ioredis, iovalkey or GLIDE, or an object with `run`',
    client,
  )
}

type Evaluate = (
  shaOrSource: string,
  keys: readonly string[],
  args: readonly string[],
  script: Script,
) => Promise<unknown>

/**
 * Runs a script by its hash, and by its source where the server does not know it: after a restart, a failover
 * or `SCRIPT FLUSH`, or because Redis has evicted a script that was not used for long.
 */
function withSourceFallback(bySha: Evaluate, bySource: Evaluate): RunScript {
  return async (script, keys, args) => {
    try {
      return await bySha(script.sha, keys, args, script)
    } catch (error) {
      if (!isUnknownScript(error)) throw error
      return bySource(script.source, keys, args, script)
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  const read = readError(error)
  return serverCode(read) === 'NOSCRIPT' || /\bNOSCRIPT\b/.test(read.message)
}

function hasMethods<C>(client: unknown, ...methods: readonly (keyof C & string)[]): client is C {
  if ((typeof client !== 'object' && typeof client !== 'function') || client === null) return false
  const candidate = client as Record<string, unknown>
  return methods.every((method) => typeof candidate[method] === 'function')
}
