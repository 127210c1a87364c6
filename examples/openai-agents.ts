import { Agent, type AgentInputItem, run, setTracingDisabled } from '@openai/agents'
import { assistantMessage, ScriptedModel } from '@openai/agents/testing'
import { SessionRegistry } from 'session-registry'
import { agentSession } from 'session-registry/openai-agents'

// Needs no key. Without a `model` the agent uses OpenAI's.
const model = new ScriptedModel([[assistantMessage('Hello Ada.')], [assistantMessage('You are Ada.')]])
setTracingDisabled(true)

const agent = new Agent({ name: 'assistant', model })
const sessions = new SessionRegistry<AgentInputItem[]>({ create: () => [] })

function chat(id: string, message: string): Promise<string | undefined> {
  return sessions.run(id, async (_session, signal) => {
    const result = await run(agent, message, { session: agentSession(sessions, id), signal })
    return result.finalOutput
  })
}

// Two messages at once: the second run waits for the first, and sees what it said.
console.log(await Promise.all([chat('ada', 'I am Ada.'), chat('ada', 'Who am I?')]))
console.log(`the second run was shown ${model.lastCall?.request.input.length} items`)
