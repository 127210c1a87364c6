import { SessionRegistry } from 'session-registry'
import { type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
import { expect, it } from 'vitest'
import { countIterations } from '../support/loop-iterations.ts'

it.each([
  ['all of the project', '-app', 5_000],
  ['none of the project', '-other', 0],
])('listSessions of many sessions, %s: the event loop iterates meanwhile', async (_what, project, count) => {
  const sessions = new SessionRegistry<AgentTranscript[]>()
  const transcript = { subpath: '', mtime: 1, entries: [] }
  for (let index = 0; index < 5_000; index += 1) {
    sessions.set(JSON.stringify(['-app', `s${index}`]), [transcript])
  }
  const store = agentSessionStore(sessions)
  const { result, iterations } = await countIterations(() => store.listSessions(project))

  expect(result).toHaveLength(count)
  expect(iterations).toBeGreaterThan(5)
})
