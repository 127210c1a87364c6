import { deltaChannelHistoryTests, validate } from '@langchain/langgraph-checkpoint-validation'
import { SessionRegistry } from 'session-registry'
import { newThread, SessionSaver, type Thread, threadCodec } from 'session-registry/langgraph'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TextSource } from '../support/text-source.ts'

// The suite looks for the globals of its test runner; this file alone has them.
Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it })

// Under its own name: the suite leaves tests out for some savers that it knows by theirs.
const suites = [
  {
    checkpointerName: 'SessionSaver',
    createCheckpointer: () =>
      new SessionSaver({ source: new SessionRegistry<Thread>({ create: newThread }) }),
  },
  {
    checkpointerName: 'SessionSaver over a source that keeps text',
    createCheckpointer: () => new SessionSaver({ source: new TextSource<Thread>(threadCodec, newThread) }),
  },
]

for (const suite of suites) {
  validate(suite)
  deltaChannelHistoryTests(suite)
}
