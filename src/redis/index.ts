/**
 * Sessions of several processes, on Redis or Valkey: {@link RedisSessionRegistry}.
 *
 * @module
 */
export type { SessionCodec } from '../core/codec/codec.ts'
export type { DeadSession } from './archiving/dead-letter-store.ts'
export type { ClientScript, RedisClient, ScriptClient } from './client/client.ts'
export type { RedisHold } from './holds/holds.ts'
export type { RedisSessionRegistryOptions } from './options.ts'
export { RedisSessionRegistry } from './session-registry.ts'
