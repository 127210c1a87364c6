/**
 * The `Session` of the OpenAI Agents SDK in sessions that expire: {@link agentSession}.
 *
 * @module
 */
export { type AgentSessionOptions, agentSession } from './openai-agents/agent-session.ts'
