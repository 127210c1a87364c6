import type { UIMessage } from 'ai'

/** The fields of parts that are read here. */
interface Part {
  readonly type: string
  readonly text?: unknown
  readonly state?: unknown
  readonly toolCallId?: unknown
}

/** Whether a value is a message: an object with `id`, `role`, and `parts` that each have a `type`. */
export function isMessage(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return false
  const { id, role, parts } = message as { readonly [field in keyof UIMessage]?: unknown }
  if (typeof id !== 'string' || typeof role !== 'string' || !Array.isArray(parts)) return false
  // Not `every`, which skips holes.
  for (let index = 0; index < parts.length; index += 1) {
    if (!isPart(parts[index])) return false
  }
  return true
}

function isPart(part: unknown): boolean {
  return typeof part === 'object' && part !== null && typeof (part as { type?: unknown }).type === 'string'
}

/**
 * Whether an assistant message is empty: without text that is not blank, tool call, file and data.
 *
 * A cancelled stream leaves such a message, and models reject it. Reasoning and sources alone are empty; a
 * part of an unknown type is not.
 */
export function isEmptyMessage({ role, parts }: UIMessage): boolean {
  return role === 'assistant' && (parts as readonly Part[]).every(isEmptyPart)
}

function isEmptyPart({ type, text }: Part): boolean {
  switch (type) {
    case 'text':
      return typeof text !== 'string' || text.trim() === ''
    case 'reasoning':
    case 'source-document':
    case 'source-url':
    case 'step-start':
      return true
    default:
      return false
  }
}

/** Whether the last message of a chat has a tool call that waits for an approval. */
export function waitsForApproval(messages: readonly UIMessage[]): boolean {
  const parts = (messages.at(-1)?.parts ?? []) as readonly Part[]
  return parts.some(({ state, toolCallId }) => state === 'approval-requested' && toolCallId !== undefined)
}
