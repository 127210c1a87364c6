import { describe, expect, it } from 'vitest'
import { Backend } from '../../../src/redis/backend.ts'
import type { RunScript } from '../../../src/redis/client.ts'
import { Script } from '../../../src/redis/script.ts'
import { installFakeGlobals } from '../../support/fake-globals.ts'
import { sessionError } from '../../support/session-error.ts'
import { settle } from '../../support/settle.ts'
import { watch } from '../../support/watched.ts'

const script = new Script('test', 'return 1')
const lost = () => new Error('Socket closed unexpectedly')

/** A client that answers each call with the next of these; with the last one for ever. */
function clientOf(...answers: readonly (Error | string | 'never')[]) {
  const calls: { keys: readonly string[]; args: readonly string[] }[] = []
  const run: RunScript = async (_script, keys, args) => {
    const answer = answers[Math.min(calls.length, answers.length - 1)]
    calls.push({ keys, args })
    if (answer === 'never') return new Promise(() => {})
    if (answer instanceof Error) throw answer
    return answer
  }
  return { calls, backend: new Backend(run) }
}

/** Lets time pass in small steps, so that what is repeated has its pauses. */
async function pass(clock: { tick(ms: number): unknown }, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    await settle()
    clock.tick(Math.min(left, 100))
  }
  await settle()
}

function call(backend: Backend) {
  return watch(backend.call(script, ['key'], ['operation-1'], true))
}

describe('a call of Redis', () => {
  it('is repeated with the very same arguments when its answer is lost', async () => {
    const clock = installFakeGlobals()
    const { backend, calls } = clientOf(lost(), lost(), 'answer')
    const called = call(backend)
    await pass(clock, 1_000)

    expect(called.value).toBe('answer')
    expect(calls).toEqual(Array.from({ length: 3 }, () => ({ keys: ['key'], args: ['operation-1'] })))
  })

  it('is repeated for five seconds, and then fails with the last cause', async () => {
    const clock = installFakeGlobals()
    const error = lost()
    const { backend, calls } = clientOf(error)
    const called = call(backend)
    await pass(clock, 4_000)
    expect(called.state).toBe('pending')
    await pass(clock, 1_000)

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
    expect((called.error as Error).cause).toBe(error)
    expect(calls.length).toBeGreaterThan(10)
  })

  it('is given up after five seconds where the client neither answers nor fails', async () => {
    const clock = installFakeGlobals()
    const { backend, calls } = clientOf('never')
    const called = call(backend)
    await pass(clock, 4_900)
    expect(called.state).toBe('pending')
    await pass(clock, 200)

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_UNAVAILABLE'))
    expect((called.error as Error).cause).toBeInstanceOf(Error)
    expect(calls).toHaveLength(1)
  })

  it.each([
    'LOADING Redis is loading the dataset in memory',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'CLUSTERDOWN The cluster is down',
    'MASTERDOWN Link with MASTER is down',
    'BUSY Redis is busy running a script.',
  ])('is repeated where the server cannot for now: %s', async (message) => {
    const clock = installFakeGlobals()
    const { backend, calls } = clientOf(new Error(message), 'answer')
    const called = call(backend)
    await pass(clock, 200)

    expect(called.value).toBe('answer')
    expect(calls).toHaveLength(2)
  })

  it('is repeated for a second where the server may only be read, as after a failover', async () => {
    const clock = installFakeGlobals()
    const error = new Error("READONLY You can't write against a read only replica.")
    const back = clientOf(error, error, 'answer')
    const replica = clientOf(error)
    const [called, refused] = [call(back.backend), call(replica.backend)]
    await pass(clock, 1_000)

    expect(called.value).toBe('answer')
    expect(refused.error).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
    expect((refused.error as Error).cause).toBe(error)
  })

  it.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    'NOPERM User default has no permissions to run the evalsha command',
    'NOAUTH Authentication required.',
    'MISCONF Redis is configured to save RDB snapshots',
    'ERR user_script:1: Script attempted to access nonexistent global variable',
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'An error was signalled by the server: - ResponseError: OOM command not allowed',
  ])('fails at once where the server refuses: %s', async (message) => {
    const error = new Error(message)
    const { backend, calls } = clientOf(error)
    const called = call(backend)
    await called.settled

    expect(called.error).toEqual(sessionError('ERR_SESSION_BACKEND_FAILED'))
    expect((called.error as Error).cause).toBe(error)
    expect(calls).toHaveLength(1)
  })

  it('fails at once where the client was called wrongly', async () => {
    const { backend } = clientOf(new TypeError('client.evalSha is not a function'))
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
    'timed out',
  ])('does not take a failed connection for an answer: %s', async (message) => {
    const clock = installFakeGlobals()
    const { backend, calls } = clientOf(new Error(message), 'answer')
    const called = call(backend)
    await pass(clock, 200)

    expect(called.value).toBe('answer')
    expect(calls).toHaveLength(2)
  })
})
