import { SessionRegistry } from 'session-registry'
import {
  type AgentSessionStore,
  type AgentTranscript,
  agentSessionStore,
} from 'session-registry/claude-agent'
import { expectTypeOf } from 'vitest'

/** A line of a transcript, as the Claude Agent SDK 0.3 declares it. */
type Entry = { type: string; uuid?: string; timestamp?: string; [field: string]: unknown }

type Key = { projectKey: string; sessionId: string; subpath?: string }

/** What an option `sessionStore` of the Claude Agent SDK 0.3 takes, which is no dependency. */
type SdkStore = {
  append(key: Key, entries: Entry[]): Promise<void>
  load(key: Key): Promise<Entry[] | null>
  listSessions?(projectKey: string): Promise<Array<{ sessionId: string; mtime: number }>>
  listSessionSummaries?(
    projectKey: string,
  ): Promise<{ sessionId: string; mtime: number; data: Record<string, unknown> }[]>
  delete?(key: Key): Promise<void>
  listSubkeys?(key: { projectKey: string; sessionId: string }): Promise<string[]>
}

/** Checked by `tsc`, never run. */
export function types(): void {
  const store = agentSessionStore(new SessionRegistry<AgentTranscript[]>({ create: () => [] }))
  expectTypeOf(store).toEqualTypeOf<AgentSessionStore>()
  expectTypeOf(store).toExtend<SdkStore>()
  // @ts-expect-error: a registry of something else
  agentSessionStore(new SessionRegistry<string[]>())
}
