import { SessionRegistry } from 'session-registry'
import { type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
// Needs no key. Yours is `import { query } from '@anthropic-ai/claude-agent-sdk'`.
import { query } from './models/scripted-agent.ts'

const sessions = new SessionRegistry<AgentTranscript[]>({ timeoutMs: 24 * 60 * 60_000 })
const sessionStore = agentSessionStore(sessions)

async function ask(prompt: string, resume?: string) {
  const options = resume === undefined ? { sessionStore } : { sessionStore, resume }
  for await (const message of query({ prompt, options })) {
    if (message.type === 'result') return message
  }
  throw new Error('The agent gave no result')
}

const { session_id, result } = await ask('I am Ada.')
console.log(result)
console.log((await ask('Who am I?', session_id)).result)
console.log(`${(await sessionStore.listSessions('-srv-app')).length} session`)

await sessionStore.delete({ projectKey: '-srv-app', sessionId: session_id })
console.log(`${sessions.size} sessions`)
