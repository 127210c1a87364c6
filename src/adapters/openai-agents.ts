export { type AgentSessionOptions, agentSession } from './openai-agents/agent-session.ts'
