import type { SessionSource } from 'session-registry'
import { stateHandles, type ToolContext } from 'session-registry/mcp'
import { expect } from 'vitest'
import { failureOf } from './session-error.ts'

/** A creation that its client cancels as soon as the session is there, before its turn begins. */
export async function cancelWhenCreated(
  baskets: SessionSource<string[]>,
  onCreated: (cancel: () => void) => void,
) {
  const cancel = new AbortController()
  const reason = new Error('no longer wanted')
  onCreated(() => cancel.abort(reason))
  const handles = stateHandles(baskets, { prefix: 'basket_', argument: 'basket_id' })
  const create = handles.create() as (context: ToolContext) => Promise<unknown>
  expect(await failureOf(() => create({ signal: cancel.signal }))).toBe(reason)
}
