import { runInNewContext } from 'node:vm'
import { ManualClock } from 'session-registry/testing'
import { describe, expect, it } from 'vitest'
import type { RunScript } from '../../../src/redis/client/client.ts'
import { RetryingCaller } from '../../../src/redis/client/retrying-caller.ts'
import { Script } from '../../../src/redis/client/script.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'

const script = new Script('test', 'return 1')
const lost = () => new Error('Socket closed unexpectedly')

/** The server's clock at the start of the test. */
const serverStart = 1_700_000_000_000

type Answer = Error | string | 'never' | { readonly reply: unknown }

/** A client that replies to each call with the next of these, and then with the last one. */
function clientOf(...answers: readonly Answer[]) {
  const clock = new ManualClock()
  const calls: { keys: readonly string[]; args: readonly string[] }[] = []
  const run: RunScript = async (_script, keys, args) => {
    const answer = answers[Math.min(calls.length, answers.length - 1)]
    calls.push({ keys, args })
    if (answer === 'never') return new Promise(() => {})
    if (typeof answer === 'object' && 'reply' in answer) return answer.reply
    if (typeof answer !== 'string') throw answer
    return [1, Math.floor(serverStart + clock.now()), answer]
  }
  return { calls, clock, backend: new RetryingCaller(run, 5_000, clock) }
}

function call(backend: RetryingCaller, onLate?: (answer: unknown) => void) {
  return observe(backend.call(script, ['key'], ['operation-1'], { keepsAlive: true, onLate }))
}

describe('a call of Redis', () => {
  it('is retried with the same arguments if its reply is lost', async () => {
    const { backend, calls, clock } = clientOf(lost(), lost(), 'answer')
    const called = call(backend)
    await clock.advanceAsync(1_000)

    expect(called.value).toBe('answer')
    expect(calls.map(({ keys, args }) => [...keys, ...args].slice(0, 2))).toEqual(
      Array.from({ length: 3 }, () => ['key', 'operation-1']),
    )
  })

  it('is retried for five seconds, and then rejects with the last error as the cause', async () => {
    const error = lost()
    const { backend, calls, clock } = clientOf(error)
    const called = call(backend)
    await clock.advanceAsync(4_000)
    expect(called.state).toBe('pending')
    await clock.advanceAsync(1_000)

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
    expect((called.error as Error).cause).toEqual(error)
    expect(calls.length).toBeGreaterThan(10)
  })

  it('is retried while the server replies that it cannot work now, and that reply is the cause', async () => {
    const error = new Error('NOREPLICAS Not enough good replicas to write.')
    const { backend, clock } = clientOf(error)
    const called = call(backend)
    await clock.advanceAsync(5_000)

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
    expect((called.error as Error).message).not.toMatch(/reply|none came/)
    expect((called.error as Error).cause).toEqual(error)
  })

  it('is abandoned after five seconds if the client neither replies nor fails', async () => {
    const { backend, calls, clock } = clientOf('never')
    const called = call(backend)
    await clock.advanceAsync(4_900)
    expect(called.state).toBe('pending')
    await clock.advanceAsync(200)

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
    expect((called.error as Error).cause).toBeInstanceOf(Error)
    expect(calls).toHaveLength(1)
  })

  it.each([
    'LOADING Redis is loading the dataset in memory',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'CLUSTERDOWN The cluster is down',
    'MASTERDOWN Link with MASTER is down',
    'NOREPLICAS Not enough good replicas to write.',
    'BUSY Redis is busy running a script.',
    'ERR max number of clients reached',
    // Redis 6.2, in a script.
    'ERR Error running script (call to f_9): @user_script:61: @user_script: 61: -NOREPLICAS Not enough good replicas',
    // GLIDE.
    'NOREPLICAS: Not enough good replicas to write.',
    'An error was signalled by the server: - TryAgain: Multiple keys request during rehashing of slot',
    'An error was signalled by the server: - BusyLoadingError: Redis is loading the dataset in memory',
  ])('is retried if the server is temporarily unable: %s', async (message) => {
    const { backend, calls, clock } = clientOf(new Error(message), 'answer')
    const called = call(backend)
    await clock.advanceAsync(200)

    expect(called.value).toBe('answer')
    expect(calls).toHaveLength(2)
  })

  it('is retried for a second if the server is read-only, as after a failover', async () => {
    const error = new Error("READONLY You can't write against a read only replica.")
    const back = clientOf(error, error, 'answer')
    const replica = clientOf(error)
    const [called, refused] = [call(back.backend), call(replica.backend)]
    await Promise.all([back.clock.advanceAsync(1_000), replica.clock.advanceAsync(1_000)])

    expect(called.value).toBe('answer')
    expect(refused.error).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
    expect((refused.error as Error).cause).toEqual(error)
  })

  it.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    'NOPERM User default has no permissions to run the evalsha command',
    'NOAUTH Authentication required.',
    'MISCONF Redis is configured to save RDB snapshots',
    'ERR user_script:1: Script attempted to access nonexistent global variable',
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'ERR Error running script (call to f_9): @user_script:61: @user_script: 61: -OOM command not allowed',
    'An error was signalled by the server: - ResponseError: OOM command not allowed',
    'OOM: command not allowed',
  ])('fails at once if the server refuses: %s', async (message) => {
    const error = new Error(message)
    const { backend, calls } = clientOf(error)
    const called = call(backend)
    await called.settled

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
    expect((called.error as Error).cause).toEqual(error)
    expect(calls).toHaveLength(1)
  })

  it.each([
    'MOVED 3999 127.0.0.1:7001',
    'ASK 3999 127.0.0.1:7001',
    'An error was signalled by the server: - Moved: 3999 127.0.0.1:7001',
  ])('fails at once if the keys are on another node, and names the client to use: %s', async (message) => {
    const { backend, calls } = clientOf(new Error(message))
    const called = call(backend)
    await called.settled

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
    expect((called.error as Error).message).toMatch(/use a cluster client/)
    expect(calls).toHaveLength(1)
  })

  it.each([
    ['a TypeError', new TypeError('"arguments[6]" must be of type "string | Buffer", got object instead.')],
    ['a RangeError', new RangeError('Invalid array length')],
    ['of another realm', runInNewContext("new TypeError('client.evalSha is not a function')")],
    [
      'the server, of arguments that are out of place',
      new Error("ERR wrong number of arguments for 'evalsha' command"),
    ],
    [
      'the server, of the number of keys',
      new Error("ERR Number of keys can't be greater than number of args"),
    ],
  ])('fails at once if the client rejects the call, and names the option: %s', async (_, error) => {
    const { backend, calls } = clientOf(error)
    const called = call(backend)
    await called.settled

    expect(called.error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect((called.error as Error).message).toContain('`client`')
    expect((called.error as { cause?: Error }).cause?.message).toBe(error.message)
    expect(calls).toHaveLength(1)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['OK', 'OK'],
    ['that it is queued', 'QUEUED'],
    ['a number', 1],
    ['an object', {}],
    ['an empty list', []],
    ['a list of something else', ['1', 'two', 'three']],
    ['the answer without its time', [1, 'answer']],
    ['a list that is too long', [1, serverStart, 'answer', 'more']],
  ])('fails at once if the client returns something that is not a script’s reply: %s', async (_, reply) => {
    const { backend, calls } = clientOf({ reply })
    const called = call(backend)
    await called.settled

    expect(called.error).toEqual(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect((called.error as Error).message).toContain('`client`')
    expect(calls).toHaveLength(1)
  })

  it('does not blame a client that has worked before', async () => {
    const { backend } = clientOf('answer', new TypeError('client.evalSha is not a function'))
    await call(backend).settled
    const called = call(backend)
    await called.settled

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
  })

  it.each([
    'connect ECONNREFUSED 127.0.0.1:6379',
    'The client is closed',
    'Connection is closed.',
    'Reached the max retries per request limit (which is 20). Refer to "maxRetriesPerRequest" option for details.',
    'write EPIPE',
    'ECONNRESET: socket hang up',
    'timed out',
  ])('does not take a connection error for a reply: %s', async (message) => {
    const { backend, calls, clock } = clientOf(new Error(message), 'answer')
    const called = call(backend)
    await clock.advanceAsync(200)

    expect(called.value).toBe('answer')
    expect(calls).toHaveLength(2)
  })

  it.each([
    ['of fetch', Object.assign(new TypeError('fetch failed'), { cause: new Error('connect ECONNREFUSED') })],
    ['of a Worker', new TypeError('Network connection lost.')],
    ['that is no error', { message: 'The socket was closed' }],
    ['that is a text', 'closed'],
    ['that is nothing', undefined],
    ['of another realm', runInNewContext("new Error('Connection is closed.')")],
  ])('does not take a connection error for a reply: %s', async (_, error) => {
    const clock = new ManualClock()
    let calls = 0
    const backend = new RetryingCaller(
      async () => {
        calls += 1
        if (calls === 1) throw error
        return [1, serverStart, 'answer']
      },
      5_000,
      clock,
    )
    const called = call(backend)
    await clock.advanceAsync(200)

    expect(called.value).toBe('answer')
    expect(calls).toBe(2)
  })

  it('recognises an error reply of another realm', async () => {
    const error = runInNewContext(
      "class ErrorReply extends Error {}; class SimpleError extends ErrorReply {}; new SimpleError('no code')",
    )
    const { backend, calls } = clientOf(error)
    const called = call(backend)
    await called.settled

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
    expect(calls).toHaveLength(1)
  })
})
