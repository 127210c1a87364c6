import { describe, expect, it, vi } from 'vitest'
import { files } from '../repo/tracked-files.ts'
import { Running } from './running.ts'

// Each is a process that compiles itself first; the machine may be busy.
vi.setConfig({ testTimeout: 90_000 })

/** The output of each small example, without log lines. */
const outputs: Record<string, readonly (string | RegExp)[]> = {
  'examples/quickstart.ts': ["ada left, after [ 'hello', 'is anybody there?' ]"],
  'examples/check-a-store.ts': ['the store passes every check'],
  'examples/events.ts': [
    'ada came',
    'bob came',
    'bob ended: deleted',
    'ada expired: idle',
    'ada ended: idle',
    'swept 1, 0 left',
    'waited for ada: idle',
  ],
  'examples/archiving.ts': [
    'archived ada: idle',
    "[ 'hello', 'I am back' ]",
    'archived ada: closed',
    '{ ended: 1, archived: 1, failed: 0 }',
  ],
  'examples/live-resources.ts': [
    'started for ada',
    "[ 'did one', 'did two', 'did three' ]",
    'stopped',
    'ada: deleted',
    'Ada has none',
    'started for ben',
    'did four',
    'stopped',
    'ben: closed',
  ],
  'examples/owners.ts': [
    '1 messages',
    'there is no such session',
    "[ 'trip to Rome' ]",
    '1 forgotten',
    'deleted',
  ],
  'examples/mcp.ts': [
    'The new `basket_id` is basket_…. A `basket_id` expires when it has not been used for 20 minutes, and 1 day after its creation at the latest.',
    'In the basket: tea',
    'In the basket: tea, milk',
    'There is no such `basket_id`.',
    'The `basket_id` was dropped.',
  ],
  'examples/mcp-sandbox.ts': ['started', 'did one', 'did two', 'stopped', 'started', 'did three', 'stopped'],
  'examples/nextjs.ts': [
    "[ 'You said: hello there', 'You said: and again' ]",
    '[',
    "  { role: 'user', text: 'hello there' },",
    "  { role: 'assistant', text: 'You said: hello there' },",
    "  { role: 'user', text: 'and again' },",
    "  { role: 'assistant', text: 'You said: and again' }",
    ']',
    '404',
  ],
  'examples/opentelemetry.ts': [
    'ask the model, in session turn',
    'session turn, in POST /chat',
    'POST /chat',
    'session_registry.sessions',
    'session_registry.created',
    'session_registry.turn.duration',
    'session_registry.turn.wait',
  ],
  'examples/prometheus.ts': [
    'session_registry_sessions{registry="chats",state="active"} 1',
    'session_registry_sessions{registry="chats",state="held"} 0',
    'session_registry_sessions{registry="chats",state="archiving"} 0',
    'session_registry_sessions{registry="chats",state="disposing"} 0',
    'session_registry_ended_total{registry="chats",reason="idle"} 0',
    'session_registry_ended_total{registry="chats",reason="age"} 0',
    'session_registry_ended_total{registry="chats",reason="capacity"} 0',
    'session_registry_ended_total{registry="chats",reason="deleted"} 1',
    'session_registry_ended_total{registry="chats",reason="replaced"} 0',
    'session_registry_ended_total{registry="chats",reason="closed"} 0',
    'session_registry_turn_duration_seconds_count{registry="chats"} 2',
  ],
  'examples/socket-chat.ts': [
    'part Well, ',
    'stopped',
    'part Well, ',
    'part briefly',
    'done',
    "true [ 'everything', 'Well, ', 'briefly', 'Well, briefly' ]",
    'part Well, ',
    "[ 'everything', 'Well, ' ]",
  ],
  'examples/testing.ts': ['twenty minutes later, Ada is gone'],
  'examples/fake-timers.ts': ['twenty minutes later, Ada is gone'],
  'examples/archive-test.ts': ['archived at the third attempt', 'and closed'],
  'examples/file-archive-test.ts': ['archived to a file'],
  'examples/turn-test.ts': ['25 minutes are a turn, 45 are too many'],
  'examples/sessions.ts': [
    "{ items: [ 'tea' ] } undefined",
    'true false',
    '1200000 true',
    "ada [ 'tea' ]",
    'true 0',
  ],
  'examples/limits.ts': ['bob ended: capacity', "[ 'cleo', 'ada' ]", 'answer with 503'],
  'examples/inspect.ts': [
    'held wait 1',
    '{ size: 1, running: 1, waiting: 1 }',
    '{ live: true, ready: true }',
  ],
  'examples/errors.ts': ['one message at a time, please', '[ 200, 409, 400 ]'],
  'examples/turns.ts': [`[ 'hello', 'answer to "hello"', 'and again', 'answer to "and again"' ]`],
  'examples/streaming.ts': [
    'Good',
    ' morning',
    ' Ada',
    'Good … and Ada leaves',
    "[ 'hello', 'Good morning Ada', 'tell me more', 'Good' ]",
  ],
  'examples/ai-sdk.ts': ["[ 'hello', 'I was shown 1', 'and again', 'I was shown 3' ]"],
  'examples/langchain.ts': ["[ 'Hello Ada.', 'You are Ada.' ]", 'Goodbye.', '6 messages'],
  'examples/langchain-stream.ts': ['Goodbye.', 'I am Ada. | H | Bye! | Goodbye.'],
  'examples/langgraph.ts': ["[ 'It is sunny.', 'You asked 2 times.' ]"],
  'examples/grammy.ts': ['I have seen 1 message.', 'I have seen 3 messages.'],
  'examples/expired-chats.ts': ['Noted.', 'Your session has expired.', 'Noted.'],
  'examples/expired-chats-retried.ts': [
    'Noted.',
    'Too Many Requests',
    'Your session has expired.',
    'Noted.',
    'Forbidden: bot was blocked by the user',
    '0 sessions',
    'Noted.',
    '{ ended: 1, archived: 1, failed: [] }',
  ],
  'examples/telegraf.ts': ['I have seen 1 message.', 'I have seen 3 messages.'],
  'examples/claude-agent.ts': ['Messages so far: 1', 'Messages so far: 2', '1 session', '0 sessions'],
  'examples/slack.ts': [
    'a new conversation',
    'a new conversation',
    'I have seen 1 message.',
    'I have seen 3 messages.',
  ],
  'examples/openai-agents.ts': ["[ 'Hello Ada.', 'You are Ada.' ]", 'the second run was shown 3 items'],
  'examples/hooks-to-store.ts': ["hooks [ 'a secret' ]", 'store []'],
  'examples/watching.ts': [
    'asks the model for Ada',
    /^done in \d+ ms, after 0 ms in the queue$/,
    /^failed in \d+ ms, after 0 ms in the queue$/,
    'a session of chats ended: deleted',
  ],
  'examples/import-sessions.ts': [
    '2 imported',
    '0 imported the second time',
    "[ 'ada was here', 'and is back' ]",
    'since 2026',
  ],
}

describe('an example', () => {
  it.each(Object.entries(outputs))('prints the expected lines, and exits: %s', async (path, expected) => {
    const running = new Running(path)
    const exitCode = await running.ended()
    const printed = running.lines.filter((line) => !line.startsWith('{"level"'))

    expect(printed).toEqual(
      expected.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line))),
    )
    expect(exitCode).toBe(0)
  })

  it('logs a creation, an expiry and a sweep in the quickstart', async () => {
    const running = new Running('examples/quickstart.ts')
    await running.ended()
    const logged = running.lines.filter((line) => line.startsWith('{"level"')).map((line) => JSON.parse(line))

    expect(logged.map(({ msg, registry }) => [msg, registry])).toEqual([
      ['session created', 'sessions'],
      ['session expired', 'sessions'],
      ['sweep done', 'sessions'],
    ])
    expect(logged[1]).toMatchObject({ reason: 'idle', session: expect.stringMatching(/^[\w-]{16}$/) })
    expect(logged[2]).toMatchObject({ expired: 1, remaining: 0 })
  })

  it('shows an id in a line of its own as the registry does: logging', async () => {
    const running = new Running('examples/logging.ts')
    const exitCode = await running.ended()
    const logged = running.lines.map((line) => JSON.parse(line))

    expect(exitCode).toBe(0)
    expect(logged.map(({ msg, registry }) => [msg, registry])).toEqual([
      ['session created', 'chats'],
      ['a line of your own', undefined],
      ['session ended', 'chats'],
    ])
    expect(new Set(logged.map(({ session }) => session)).size).toBe(1)
    expect(logged[0].session).toMatch(/^[\w-]{16}$/)
  })

  it('passes under node:test, and leaves nothing that keeps it waiting', async () => {
    const running = new Running('examples/node-test.ts')
    const exitCode = await running.ended()

    expect(running.lines.filter((line) => /\b(?:pass|fail|cancelled) \d/.test(line))).toEqual([
      expect.stringMatching(/ pass 2$/),
      expect.stringMatching(/ fail 0$/),
      expect.stringMatching(/ cancelled 0$/),
    ])
    expect(exitCode).toBe(0)
  })

  it('is covered here, for every file', () => {
    const examples = files.filter((path) => /^examples\/[\w-]+\.ts$/.test(path))

    expect(Object.keys(outputs).toSorted()).toEqual(
      examples.filter((path) => !elsewhere.includes(path)).toSorted(),
    )
  })
})

/** Examples with tests of their own. */
const elsewhere: readonly string[] = [
  'examples/browser-pages.ts',
  'examples/chat.ts',
  'examples/delete-idle.ts',
  'examples/express.ts',
  'examples/express-session.ts',
  'examples/fastify.ts',
  'examples/fastify-session.ts',
  'examples/http-chat.ts',
  'examples/inspector.ts',
  'examples/kill-a-server.ts',
  'examples/koa.ts',
  'examples/logging.ts',
  'examples/node-test.ts',
  'examples/mcp-server.ts',
  'examples/options.ts',
  'examples/presence.ts',
  'examples/probes.ts',
  'examples/process-pool.ts',
  'examples/redis.ts',
  'examples/redis-archive-log.ts',
  'examples/redis-chat-server.ts',
  'examples/redis-other-clients.ts',
  'examples/shutdown.ts',
  'examples/survive-restart.ts',
  'examples/two-processes.ts',
]
