import { paced } from '../../core/async/paced.ts'
import type { SessionSource } from '../../core/session-source.ts'
import { errorResult, type ToolResult, textResult } from './tool-result.ts'

interface ListedHandles {
  readonly prefix: string
  readonly argument: string
  readonly owner: string | undefined
}

/** Returns the result of a tool that lists the live handles of an owner. */
export async function listHandles<T>(
  source: SessionSource<T>,
  { prefix, argument, owner }: ListedHandles,
  signal: AbortSignal | undefined,
): Promise<ToolResult> {
  // The handle alone may be what admits its holder.
  if (owner === undefined)
    return errorResult(
      `No \`${argument}\` can be listed: the server has no \`owner\` option for its handles.`,
    )
  const handles: object[] = []
  const lines: string[] = []
  for await (const id of paced(source.keys())) {
    signal?.throwIfAborted()
    if (!id.startsWith(prefix)) continue
    const session = await source.peek(id)
    if (session?.owner !== owner) continue
    const createdAt = isoTime(session.createdAt)
    const lastActiveAt = isoTime(session.lastActiveAt)
    handles.push({ createdAt, lastActiveAt, [argument]: id })
    lines.push(`${id}, last used at ${lastActiveAt}`)
  }
  return textResult(lines.join('\n') || `There is no live \`${argument}\`.`, { handles })
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
