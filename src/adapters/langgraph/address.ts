import type { RunnableConfig } from '@langchain/core/runnables'
import { type SessionIdInput, toSessionId } from '../../core/ids/to-session-id.ts'
import { checkObject, invalidOption, ownFields } from '../../core/options/validate.ts'

/** The checkpoint that a config names. */
export interface Address {
  readonly threadId: string
  /** The checkpoint namespace. */
  readonly name: string
  readonly checkpointId: string | undefined
}

/**
 * Returns the `configurable` of a config.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`
 */
export function configurableOf(config: RunnableConfig): NonNullable<RunnableConfig['configurable']> {
  return ownFields(checkObject('config.configurable', checkObject('config', config).configurable ?? {}))
}

/** @throws SessionRegistryError `ERR_SESSION_ID_INVALID`, `ERR_SESSION_OPTION_INVALID` */
export function addressOf(config: RunnableConfig): Address {
  const { thread_id, checkpoint_ns, checkpoint_id, thread_ts } = configurableOf(config)
  return {
    threadId: threadIdOf(thread_id),
    name: textIn('checkpoint_ns', checkpoint_ns ?? ''),
    // `thread_ts` is the former name of `checkpoint_id`, which LangGraph still reads.
    checkpointId: textIn('checkpoint_id', checkpoint_id || thread_ts || '') || undefined,
  }
}

function textIn(key: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw invalidOption(`config.configurable.${key}`, 'a string', value)
}

/** @throws SessionRegistryError `ERR_SESSION_ID_INVALID` */
export function threadIdOf(thread_id: SessionIdInput): string {
  return toSessionId(thread_id, '`configurable.thread_id`')
}

export function address(threadId: string, name: string, checkpointId: string): RunnableConfig {
  return { configurable: { thread_id: threadId, checkpoint_ns: name, checkpoint_id: checkpointId } }
}
