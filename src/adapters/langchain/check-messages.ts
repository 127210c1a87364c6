import type { BaseMessage } from '@langchain/core/messages'
import { invalidValue } from '../../core/errors/invalid-value.ts'
import { cloneValue } from '../../core/values/clone-value.ts'

/**
 * Returns a list of messages.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
 */
export function checkMessages<L extends readonly BaseMessage[]>(name: string, list: L): L {
  if (!Array.isArray(list)) throw invalidValue(name, 'an array of LangChain messages', list)
  for (const [index, message] of list.entries()) {
    if (!isMessage(message)) throw invalidValue(`${name}[${index}]`, 'a LangChain message', message)
  }
  return list
}

/**
 * Returns the messages of a session.
 *
 * What was stored without the codec comes back as plain objects, since messages have a `toJSON`.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
 */
export function storedMessages(value: BaseMessage[]): BaseMessage[] {
  if (Array.isArray(value) && value.every(isMessage)) return value
  const rule = 'LangChain messages, which a registry that stores text needs `codec: messageCodec` for'
  throw invalidValue('session.value', rule, value)
}

/**
 * Whether a value is a message, by LangChain's own check. Not `instanceof`: its ESM and its CJS build may be
 * loaded in one process.
 */
export function isMessage(value: unknown): value is BaseMessage {
  return typeof (value as { readonly _getType?: unknown } | null | undefined)?._getType === 'function'
}

/**
 * Returns a deep copy of a list of messages, which keep their classes.
 *
 * LangChain changes messages in place, as `trimMessages` with `allowPartial` does: stored messages must not
 * be shared with it.
 *
 * @throws SessionRegistryError `ERR_SESSION_VALUE_INVALID`
 */
export function cloneMessages(name: string, list: readonly BaseMessage[]): BaseMessage[] {
  return cloneValue(name, [...list], { keepsClass: isMessage })
}
