import { randomUUID } from 'node:crypto'
import type { AgentEntry, AgentSessionStore } from 'session-registry/claude-agent'

interface Query {
  readonly prompt: string
  readonly options: { readonly sessionStore: AgentSessionStore; readonly resume?: string }
}

/** What the SDK makes of the folder that an agent works in. */
const projectKey = '-srv-app'

/**
 * An agent in place of `query` of the Claude Agent SDK: it needs neither its program nor a key. It calls the
 * store as the SDK does, once before it resumes and after each message.
 */
export async function* query({ prompt, options: { sessionStore, resume } }: Query) {
  const sessionId = resume ?? randomUUID()
  const key = { projectKey, sessionId }
  const transcript: AgentEntry[] = resume === undefined ? [] : ((await sessionStore.load(key)) ?? [])
  const write = async (type: string, content: string) => {
    const entry = {
      type,
      uuid: randomUUID(),
      parentUuid: transcript.at(-1)?.uuid ?? null,
      message: { content },
    }
    transcript.push(entry)
    await sessionStore.append(key, [entry])
  }
  yield { type: 'system', subtype: 'init', session_id: sessionId } as const
  await write('user', prompt)
  const result = `Messages so far: ${transcript.filter(({ type }) => type === 'user').length}`
  await write('assistant', result)
  yield { type: 'result', subtype: 'success', session_id: sessionId, result } as const
}
