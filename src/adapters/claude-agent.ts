/**
 * The `SessionStore` of the Claude Agent SDK in sessions that expire: {@link agentSessionStore}.
 *
 * @module
 */
export { type AgentSessionStore, agentSessionStore } from './claude-agent/agent-session-store.ts'
export type { AgentSessionKey } from './claude-agent/session-key.ts'
export type { AgentEntry, AgentTranscript } from './claude-agent/transcripts.ts'
