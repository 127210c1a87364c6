import { onTestFinished } from 'vitest'
import { authInfoOf, type McpLine, type McpTestServer, type ToolAnswer } from './mcp-lines.ts'

export type CallTool = (
  name: string,
  args?: Readonly<Record<string, unknown>>,
  options?: { readonly signal?: AbortSignal },
) => Promise<ToolAnswer>

/**
 * Connects a client to a server of its own in memory, and returns a function that calls tools as a person;
 * `undefined`: without `authInfo`.
 */
export async function toolsFor(
  line: McpLine,
  person: string | undefined,
  register: (server: McpTestServer) => void,
): Promise<CallTool> {
  const server = line.newServer()
  register(server)
  const client = line.newClient()
  const [near, far] = line.newPair()
  const send = near.send.bind(near)
  if (person !== undefined)
    near.send = (message, options) => send(message, { ...options, authInfo: authInfoOf(person) })
  await server.connect(far as never)
  await client.connect(near)
  onTestFinished(() => client.close())
  return async (name, args, options) =>
    (await line.call(
      client,
      args === undefined ? { name } : { name, arguments: args },
      options,
    )) as ToolAnswer
}

/** The text of an answer. */
export function textOf({ content }: ToolAnswer): string {
  return content.map(({ text }) => text).join('\n')
}
