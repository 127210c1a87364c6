import { describe, expect, it } from 'vitest'
import { sessionError } from '../../support/session-error.ts'
import { reading, SimulatedServer } from '../../support/simulated-server.ts'

const unavailable = sessionError('ERR_SESSION_BACKEND_UNAVAILABLE')
const eightDays = 8 * 24 * 3_600_000

/** Returns a server that has replied once, so that its clock is known. */
async function knownServer(callTimeoutMs = 1_000): Promise<SimulatedServer> {
  const server = new SimulatedServer(callTimeoutMs)
  await server.call('first').settled
  return server
}

const names = ({ carriedOut }: SimulatedServer) => carriedOut.map(({ name }) => name)

describe('the deadline of a call', () => {
  it('is learnt from the rejection of the first call that writes', async () => {
    const server = await knownServer()

    expect(names(server)).toEqual(['first'])
    expect(server.refused).toBe(1)
    await server.call('second').settled
    expect(server.refused).toBe(1)
  })

  it('is learnt from a read as well, which has none itself', async () => {
    const server = new SimulatedServer(1_000)
    await server.call('read', { script: reading }).settled
    await server.call('write').settled

    expect(names(server)).toEqual(['read', 'write'])
    expect(server.refused).toBe(0)
  })

  it('prevents an abandoned call from being executed when the server resumes', async () => {
    const server = await knownServer()
    server.stall()
    const called = server.call('late')
    await server.clock.advanceAsync(1_000)
    expect(called.error).toEqual(unavailable)
    await server.clock.advanceAsync(1)
    server.resume()
    await server.clock.advanceAsync(0)

    expect(names(server)).toEqual(['first'])
    expect(server.refused).toBe(2)
  })

  it('leaves a twentieth of the time to the reply, and rejects a millisecond later', async () => {
    const server = await knownServer()
    server.stall()
    const called = server.call('just in time')
    await server.clock.advanceAsync(950)
    server.resume()
    await server.clock.advanceAsync(0)
    expect(called.value).toBe('answer')

    server.stall()
    server.call('too late')
    await server.clock.advanceAsync(951)
    server.resume()
    server.stall()
    await server.clock.advanceAsync(1_000)
    expect(names(server)).toEqual(['first', 'just in time'])
  })

  it('never exceeds the time at which the call is abandoned, however slow the replies it is learnt from', async () => {
    const server = new SimulatedServer(1_000)
    server.latency = { there: 10, back: 300 }
    const first = server.call('first', { script: reading })
    await server.clock.advanceAsync(310)
    expect(first.value).toBe('answer')
    server.latency = { there: 0, back: 0 }
    server.stall()
    const called = server.call('late')
    await server.clock.advanceAsync(1_001)
    server.resume()
    await server.clock.advanceAsync(0)

    expect(called.error).toEqual(unavailable)
    expect(names(server)).toEqual(['first'])
  })

  it('is not shortened by slow replies after a fast one', async () => {
    const server = await knownServer()
    server.latency = { there: 0, back: 900 }
    server.call('slow answer')
    await server.clock.advanceAsync(900)
    server.latency = { there: 800, back: 0 }
    const called = server.call('slow call')
    await server.clock.advanceAsync(800)

    expect(called.value).toBe('answer')
    expect(server.refused).toBe(1)
  })

  it.each([
    ['forward', eightDays],
    ['forward a little', 5_000],
    ['back', -eightDays],
    ['back a little', -5_000],
  ])('is learnt anew when the clock of the server is set %s', async (_, step) => {
    const server = await knownServer()
    server.offset += step
    const called = server.call('after the step')
    await server.clock.advanceAsync(0)
    expect(called.value).toBe('answer')

    // Calls abandoned from now on are not executed later.
    server.stall()
    const late = server.call('late')
    await server.clock.advanceAsync(1_001)
    server.resume()
    await server.clock.advanceAsync(0)
    expect(late.error).toEqual(unavailable)
    expect(names(server)).toEqual(['first', 'after the step'])
  })

  it('is measured on the clock of the shard’s node', async () => {
    const server = await knownServer()
    const ahead = 60_000
    await server.call('one', { shard: 1 }).settled
    server.offset += ahead
    await server.call('two', { shard: 2 }).settled
    const { refused } = server
    server.offset -= ahead
    await server.call('one', { shard: 1 }).settled
    server.offset += ahead
    await server.call('two', { shard: 2 }).settled

    expect(server.refused).toBe(refused)
  })
})

describe('a reply after its call was abandoned', () => {
  it('is passed on once, so that its effect can be undone', async () => {
    const server = await knownServer()
    let undone = 0
    server.latency = { there: 900, back: 200 }
    const called = server.call('late answer', { onLate: () => (undone += 1) })
    await server.clock.advanceAsync(1_000)
    expect(called.error).toEqual(unavailable)
    expect(undone).toBe(0)
    await server.clock.advanceAsync(100)

    expect(names(server)).toEqual(['first', 'late answer'])
    expect(undone).toBe(1)
  })

  it('is not passed on if the call had a reply, or expired', async () => {
    const server = await knownServer()
    let undone = 0
    const onLate = () => {
      undone += 1
    }
    await server.call('in time', { onLate }).settled
    server.stall()
    const called = server.call('refused', { onLate })
    await server.clock.advanceAsync(1_001)
    server.resume()
    await server.clock.advanceAsync(0)

    expect(called.error).toEqual(unavailable)
    expect(undone).toBe(0)
  })
})
