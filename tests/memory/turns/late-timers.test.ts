import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { SessionRegistry } from 'session-registry'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock, Timer } from '../../../src/core/time/clock.ts'
import { observe } from '../../support/observed-promise.ts'
import { sessionError } from '../../support/session-error.ts'

/**
 * Blocks this thread, like a process that was suspended: its sockets receive data meanwhile.
 */
function freeze(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** A server in its own thread. It responds to each request after 50 ms, and reports its arrival. */
async function serverElsewhere() {
  const worker = new Worker(
    `const { createServer } = require('node:http')
    const { parentPort } = require('node:worker_threads')
    const { gzipSync } = require('node:zlib')
    const body = gzipSync(JSON.stringify({ answer: 'x'.repeat(300_000) }))
    const server = createServer((_request, response) => {
      parentPort.postMessage('asked')
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body)
      }, 50)
    })
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
    { eval: true },
  )
  onTestFinished(async () => {
    await worker.terminate()
  })
  const [port] = await once(worker, 'message')
  return { url: `http://127.0.0.1:${port}`, asked: once(worker, 'message') }
}

describe('a limit that passed while the process was suspended', () => {
  it('maxTurnMs: a turn whose response is already in the socket is not aborted', async () => {
    const { url, asked } = await serverElsewhere()
    const registry = new SessionRegistry<string[]>({ create: () => [], maxTurnMs: 1_000, turnGraceMs: 0 })
    const turn = observe(
      registry.run('a', async (session, signal) => {
        const response = await fetch(url, { signal })
        const { answer } = (await response.json()) as { answer: string }
        session.value.push(answer)
        return answer.length
      }),
    )
    await asked
    freeze(1_300)
    await turn.settled

    expect(turn.error).toBeUndefined()
    expect(turn.value).toBe(300_000)
    expect(registry.stats().turnTimeouts).toBe(0)
  })

  it('maxTurnMs: a turn without a response is aborted all the same', async () => {
    const registry = new SessionRegistry<string[]>({ create: () => [], maxTurnMs: 20, turnGraceMs: 0 })
    const turn = observe(registry.run('a', () => new Promise(() => {})))
    freeze(100)
    await turn.settled

    expect(turn.error).toEqual(sessionError('ERR_SESSION_TURN_TIMEOUT'))
  })

  it('waitMs: a turn that may begin begins', async () => {
    const registry = new SessionRegistry<string[]>({ create: () => [] })
    const first = registry.run('a', () => new Promise((resolve) => setTimeout(resolve, 30)))
    const next = observe(registry.run('a', () => 'began', { waitMs: 20 }))
    freeze(100)
    await first
    await next.settled

    expect(next.value).toBe('began')
  })
})

describe('a timer in catch-up mode', () => {
  /** A clock whose timers the test fires. */
  function jumpingClock() {
    let now = 0
    let fire = () => {}
    const clock = {
      now: () => now,
      setTimeout: (fn: () => void) => {
        fire = fn
      },
      clearTimeout: () => {},
    }
    const fireAt = (at: number) => {
      now = at
      fire()
    }
    return { clock, fireAt }
  }

  it.each([100, 105, 120])('fires at once if it is not late (%i of 100)', (at) => {
    const { clock, fireAt } = jumpingClock()
    const fn = vi.fn()
    new Timer(clock, fn, 100, { catchesUp: true })
    fireAt(at)

    expect(fn).toHaveBeenCalledTimes(1)
  })

  it('fires once, after pending input was handled, if it is late', async () => {
    const { clock, fireAt } = jumpingClock()
    const fn = vi.fn()
    const fired = new Promise((resolve) => {
      new Timer(clock, () => resolve(fn()), 100, { catchesUp: true })
    })
    fireAt(10_000)
    expect(fn).not.toHaveBeenCalled()
    await fired

    expect(fn).toHaveBeenCalledTimes(1)
  })

  it('does not fire if it is cancelled meanwhile', async () => {
    const { clock, fireAt } = jumpingClock()
    const fn = vi.fn()
    const timer = new Timer(clock, fn, 100, { catchesUp: true })
    fireAt(10_000)
    timer.cancel()
    await new Promise((resolve) => {
      new Timer(systemClock, () => resolve(undefined), 60)
    })

    expect(fn).not.toHaveBeenCalled()
  })

  it('without catch-up mode: fires however late it is', () => {
    const { clock, fireAt } = jumpingClock()
    const fn = vi.fn()
    new Timer(clock, fn, 100)
    fireAt(10_000)

    expect(fn).toHaveBeenCalledTimes(1)
  })
})
