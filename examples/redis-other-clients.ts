import type { ScriptClient } from 'session-registry/redis'

/** The part of Bun's `RedisClient` that is used. */
export interface CommandSender {
  send(command: string, args: string[]): Promise<unknown>
}

/** The part of `Redis` of @upstash/redis that is used. */
export interface RestClient {
  eval(source: string, keys: string[], args: string[]): Promise<unknown>
  evalsha(sha: string, keys: string[], args: string[]): Promise<unknown>
}

// #region commands
/** For a client that sends any command, such as `new RedisClient(url)` of Bun. */
export const commandClient = (redis: CommandSender): ScriptClient => ({
  run: ({ source, sha }, keys, args) =>
    redis.send(sha === undefined ? 'EVAL' : 'EVALSHA', [
      sha ?? source,
      String(keys.length),
      ...keys,
      ...args,
    ]),
})
// #endregion commands

// #region rest
/** For a REST client: `new Redis({ url, token, automaticDeserialization: false })` of @upstash/redis. */
export const restClient = (redis: RestClient): ScriptClient => ({
  run: ({ source, sha }, keys, args) =>
    sha === undefined ? redis.eval(source, keys, args) : redis.evalsha(sha, keys, args),
})
// #endregion rest
