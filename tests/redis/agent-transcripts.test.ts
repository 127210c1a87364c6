import { type AgentTranscript, agentSessionStore } from 'session-registry/claude-agent'
import { expect, it } from 'vitest'
import { describeAgentStore, entry } from '../adapters/agent-store-contract.ts'
import { testRegistry } from '../support/redis-registry.ts'
import { describeOnRedis, uniquePrefix } from '../support/redis-suite.ts'

describeOnRedis('a session store of the Claude Agent SDK on Redis', (redis) => {
  const startRegistry = (prefix = uniquePrefix()) =>
    testRegistry<AgentTranscript[]>(redis, { prefix, shards: 2 })

  describeAgentStore(() => startRegistry())

  it('two processes: share transcripts, and repeat no uuid', async () => {
    const prefix = uniquePrefix()
    const [first, second] = [
      agentSessionStore(await startRegistry(prefix)),
      agentSessionStore(await startRegistry(prefix)),
    ]
    const key = { projectKey: '-app', sessionId: 's1' }
    await first.append(key, [entry('one', '1')])
    await second.append(key, [entry('one', '1'), entry('two', '2')])
    await Promise.all([first.append(key, [entry('three', '3')]), second.append(key, [entry('three', '3')])])
    const expected = [entry('one', '1'), entry('two', '2'), entry('three', '3')]

    expect(await first.load(key)).toEqual(expected)
    expect(await second.load(key)).toEqual(expected)
    await second.delete(key)
    expect(await first.load(key)).toBeNull()
  })
})
