import type { Channel } from 'node:diagnostics_channel'
import type { Session } from 'session-registry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SessionRegistryError } from '../../../src/core/errors/session-registry-error.ts'
import { refOf } from '../../../src/core/ids/id-ref.ts'
import { systemClock } from '../../../src/core/time/clock.ts'
import {
  createdChannel,
  endedChannel,
  errorChannel,
  sweptChannel,
  tracingChannels,
} from '../../../src/core/watching/channels.ts'
import { RegistryChannels } from '../../../src/core/watching/registry-channels.ts'

const channels = new RegistryChannels(
  { name: 'watched', clock: systemClock },
  { callOutside: (action) => action() },
)

/** A session whose incarnation has no name before it is read. */
const unread = {
  id: 'ada',
  get incarnation(): string {
    throw new Error('the incarnation was read')
  },
} as Session<unknown>

const named = { id: 'ada', incarnation: 'first' } as Session<unknown>

function neverCalled(): never {
  throw new Error('details were read')
}

function subscribeTo(channel: Channel): void {
  const subscriber = () => {}
  channel.subscribe(subscriber)
  onTestFinished(() => {
    channel.unsubscribe(subscriber)
  })
}

describe('the messages of a registry', () => {
  it('without a subscriber: there is none, and nothing of the session is read', () => {
    const error = new SessionRegistryError('ERR_SESSION_ARCHIVE_FAILED', 'failed', { session: unread })

    expect(channels.created(unread, true)).toBeUndefined()
    expect(channels.ended(unread, neverCalled)).toBeUndefined()
    expect(channels.swept({ expired: 1, remaining: 0, durationMs: 1 })).toBeUndefined()
    expect(channels.error(error, { id: 'ada' })).toBeUndefined()
    for (const operation of ['turn', 'load', 'create', 'archive', 'save', 'dispose'] as const)
      expect(channels.trace(operation, 'ada', neverCalled)).toBeUndefined()
  })

  it.each(['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const)(
    'a subscriber of `%s` alone: the operation is traced',
    (part) => {
      subscribeTo(tracingChannels.save[part])

      expect(channels.trace('save', 'ada', () => ({ incarnation: 'first', attempt: 1 }))).toBeDefined()
    },
  )

  it('have the hash of the id, and are frozen', () => {
    subscribeTo(createdChannel)
    subscribeTo(endedChannel)
    subscribeTo(sweptChannel)
    const ended = channels.ended(named, () => ({ reason: 'idle', idleMs: 2, ageMs: 3 }))
    const about = { registry: 'watched', ref: refOf('ada'), incarnation: 'first' }

    expect(channels.created(named, false)?.message).toEqual(about)
    expect(channels.created(named, true)?.message).toEqual({ ...about, loaded: true })
    expect(ended?.message).toEqual({ ...about, reason: 'idle', idleMs: 2, ageMs: 3 })
    expect(ended?.channel).toBe(endedChannel)
    expect(Object.isFrozen(ended?.message)).toBe(true)
    const summary = { expired: 1, remaining: 0, durationMs: 1 }
    expect(channels.swept(summary)?.message).toEqual({ registry: 'watched', ...summary })
  })

  it('of an error: name the session that it concerns, and the event whose listener failed', () => {
    subscribeTo(errorChannel)
    const error = new SessionRegistryError('ERR_SESSION_ARCHIVE_FAILED', 'failed', { session: named })
    const failure = new Error('the listener is broken')

    expect(channels.error(error, { id: 'ada' })?.message).toEqual({
      registry: 'watched',
      ref: refOf('ada'),
      incarnation: 'first',
      error,
    })
    expect(channels.error(failure, { event: 'created' })?.message).toEqual({
      registry: 'watched',
      event: 'created',
      error: failure,
    })
  })
})
