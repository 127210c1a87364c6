import type { AgentInputItem } from '@openai/agents'

/** The type of the result of a call, by the type of the call. */
const resultTypes: Readonly<Record<string, string>> = {
  function_call: 'function_call_result',
  computer_call: 'computer_call_result',
  shell_call: 'shell_call_output',
  apply_patch_call: 'apply_patch_call_output',
  program: 'program_output',
}

const isResultType = new Set(Object.values(resultTypes))

/** The fields by which calls and results are matched. */
interface Fields {
  readonly type?: unknown
  readonly role?: unknown
  readonly id?: unknown
  readonly name?: unknown
  readonly callId?: unknown
  readonly providerData?: {
    readonly type?: unknown
    readonly id?: unknown
    readonly approval_request_id?: unknown
  } | null
}

/**
 * Returns the key of the result that a call waits for; `undefined` for an item that is not a call, or one
 * that the provider executes.
 */
function callKey(item: AgentInputItem): string | undefined {
  const { type, id, name, callId, providerData } = item as Fields
  if (typeof type === 'string' && Object.hasOwn(resultTypes, type)) return key(resultTypes[type], callId)
  if (type !== 'hosted_tool_call') return undefined
  const isRequest = name === 'mcp_approval_request' || providerData?.type === 'mcp_approval_request'
  return isRequest ? key('mcp_approval_response', providerData?.id ?? id) : undefined
}

/** Returns the key of a result, as {@link callKey}; `undefined` for an item that is not a result. */
function resultKey(item: AgentInputItem): string | undefined {
  const { type, name, callId, providerData } = item as Fields
  if (isResultType.has(type as string)) return key(type as string, callId)
  const isResponse = type === 'hosted_tool_call' && name === 'mcp_approval_response'
  return isResponse ? key('mcp_approval_response', providerData?.approval_request_id) : undefined
}

function key(type: string | undefined, id: unknown): string | undefined {
  return typeof id === 'string' ? `${type} ${id}` : undefined
}

/**
 * Whether a call since the last question has no result.
 *
 * The runner stores a call together with its result, unless the call waits for an approval. A question that
 * comes instead of the approval goes on without it.
 */
export function waitsForApproval(items: readonly AgentInputItem[]): boolean {
  const answered = new Set<string>()
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index] as AgentInputItem
    const { role } = item as Fields
    if (role === 'user' || role === 'system') return false
    const call = callKey(item)
    if (call !== undefined && !answered.has(call)) return true
    const result = resultKey(item)
    if (result !== undefined) answered.add(result)
  }
  return false
}

/** Returns the results among items whose calls are not among them: the index of each, by key. */
export function unmatchedResults(items: readonly AgentInputItem[]): ReadonlyMap<string, number> {
  const calls = new Set<string>()
  const unmatched = new Map<string, number>()
  for (const [index, item] of items.entries()) {
    const call = callKey(item)
    if (call !== undefined) calls.add(call)
    const result = resultKey(item)
    if (result !== undefined && !calls.has(result)) unmatched.set(result, index)
  }
  return unmatched
}

/** Returns the index of the first of these results whose call is not in a history either. */
export function indexOfUnmatched(
  history: readonly AgentInputItem[],
  unmatched: ReadonlyMap<string, number>,
): number | undefined {
  // A compaction replaces items that are no longer in the list, calls among them.
  if (unmatched.size === 0 || history.some((item) => (item as Fields).type === 'compaction')) return undefined
  const calls = new Set(history.map(callKey))
  for (const [result, index] of unmatched) {
    if (!calls.has(result)) return index
  }
  return undefined
}
