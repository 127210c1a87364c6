import { type DestinationStream, pino } from 'pino'
import { type LogIds, SessionRegistry } from 'session-registry'
import { describe, expect, it } from 'vitest'
import { clockedRegistry } from '../../support/clocked-registry.ts'
import { FakeArchive } from '../../support/fake-archive.ts'
import { RecordingLogger } from '../../support/recording-logger.ts'

const id = 'bearer-secret'

function logged(options: { logIds?: LogIds; name?: string; timeoutMs?: number } = {}) {
  const logger = new RecordingLogger()
  return { logger, ...clockedRegistry({ timeoutMs: 1_000, intervalMs: 500, logger, ...options }) }
}

/** Lines of JSON, as pino writes them. */
function linesOf() {
  const lines: Record<string, unknown>[] = []
  const stream: DestinationStream = { write: (line) => void lines.push(JSON.parse(line)) }
  return { lines, stream }
}

describe('a log line', () => {
  it('reports a creation, an expiry and a sweep at info', () => {
    const { logger, registry, clock } = logged({ logIds: 'plain' })
    registry.getOrCreate(id)
    clock.advance(1_000)

    expect(logger.at('info')).toEqual([
      { level: 'info', fields: { registry: 'sessions', session: id }, message: 'session created' },
      {
        level: 'info',
        fields: { registry: 'sessions', session: id, reason: 'idle', idleMs: 1_000, ageMs: 1_000 },
        message: 'session expired',
      },
      {
        level: 'info',
        fields: { registry: 'sessions', expired: 1, remaining: 0, durationMs: 0 },
        message: 'sweep done',
      },
    ])
  })

  it('reports everything else at debug: each end, and a sweep that ended nothing', () => {
    const { logger, registry } = logged({ logIds: 'plain' })
    registry.set('a', [])
    registry.replace('a', [])
    registry.delete('a')
    registry.sweep()

    expect(logger.at('debug').map(({ message, fields }) => [message, fields.reason])).toEqual([
      ['session ended', 'replaced'],
      ['session ended', 'deleted'],
      ['sweep found nothing', undefined],
    ])
    expect(logger.at('info').map(({ message }) => message)).toEqual(['session created', 'session created'])
  })

  it('reports a contained failure at error, with the error', () => {
    const { logger, registry } = logged()
    const failure = new Error('the listener is broken')
    registry.on('created', () => {
      throw failure
    })
    registry.getOrCreate(id)

    expect(logger.at('error')).toEqual([
      {
        level: 'error',
        fields: { registry: 'sessions', err: failure, event: 'created' },
        message: 'a listener failed',
      },
    ])
  })

  it('has the name of its registry', () => {
    const { logger, registry } = logged({ name: 'visitors' })
    registry.getOrCreate(id)

    expect(logger.lines[0]?.fields.registry).toBe('visitors')
  })

  it('is written before the listeners of its event run', () => {
    const { logger, registry } = logged()
    let before = 0
    registry.on('created', () => {
      before = logger.lines.length
    })
    registry.getOrCreate(id)

    expect(before).toBe(1)
  })

  it('never contains a value, and no message contains an id', async () => {
    const logger = new RecordingLogger()
    const { lines, stream } = linesOf()
    for (const target of [logger, pino({ level: 'trace' }, stream)]) {
      const store = new FakeArchive('failing')
      const { registry, clock } = clockedRegistry({
        timeoutMs: 1_000,
        intervalMs: 500,
        logger: target,
        archive: store.archive,
        archiveAttempts: 2,
        create: () => ['said in confidence'],
      })
      registry.on('ended', () => {
        throw new Error('the listener is broken')
      })
      registry.getOrCreate(id)
      registry.set('another', ['said in confidence'])
      registry.hold('another')
      registry.delete('another')
      await clock.advanceAsync(5_000)
    }
    const texts = [
      ...logger.lines.map((line) => JSON.stringify(line)),
      ...lines.map((line) => JSON.stringify(line)),
    ]

    expect(texts.length).toBeGreaterThan(12)
    expect(texts.join()).not.toContain('confidence')
    expect(texts.join()).not.toContain(id)
    expect(
      logger.lines.every(({ message, fields }) => typeof message === 'string' && 'registry' in fields),
    ).toBe(true)
  })
})

describe('an id in a log line', () => {
  const shown = (logIds?: LogIds, which = id) => {
    const { logger, registry } = logged(logIds === undefined ? {} : { logIds })
    registry.getOrCreate(which)
    return logger.lines[0]?.fields.session
  }

  it('is a keyed hash by default, the same in every registry', () => {
    expect(shown()).toMatch(/^[\w-]{16}$/)
    expect(shown()).toBe(shown('hashed'))
    expect(shown('hashed', 'another')).not.toBe(shown())
  })

  it('is plain with `logIds: plain`', () => {
    expect(shown('plain')).toBe(id)
  })

  it('is the result of a `logIds` function', () => {
    expect(shown((given) => `${given.slice(0, 3)}…`)).toBe('bea…')
  })
})

describe('a pino logger', () => {
  it('has a child with the registry’s name bound; its own bindings and redaction stay', () => {
    const { lines, stream } = linesOf()
    const logger = pino({ base: { service: 'chat' }, redact: ['session'] }, stream)
    const { registry } = clockedRegistry({ logger, name: 'visitors' })
    registry.getOrCreate(id)

    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({
      level: 30,
      service: 'chat',
      registry: 'visitors',
      session: '[Redacted]',
      msg: 'session created',
    })
  })

  it('filters by its level', () => {
    const { lines, stream } = linesOf()
    const { registry } = clockedRegistry({ logger: pino({ level: 'error' }, stream) })
    registry.getOrCreate(id)
    registry.delete(id)
    expect(lines).toEqual([])
    registry.on('created', () => {
      throw new Error('the listener is broken')
    })
    registry.getOrCreate(id)

    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ level: 50, err: { message: 'the listener is broken' } })
  })

  it('is used directly if it cannot create a child', () => {
    const logger = Object.assign(new RecordingLogger(), {
      child: () => {
        throw new Error('no children')
      },
    })
    const { registry } = clockedRegistry({ logger })
    registry.getOrCreate(id)

    expect(logger.lines[0]?.fields.registry).toBe('sessions')
  })

  it.each([undefined, {}, 'logger', Promise.resolve()])(
    'is not treated as one if its child is not a logger: %s',
    (child) => {
      const logger = Object.assign(new RecordingLogger(), { child: () => child })
      const { registry } = clockedRegistry({ logger })
      registry.getOrCreate(id)

      expect(logger.lines[0]?.fields.registry).toBe('sessions')
    },
  )
})

describe('without a logger', () => {
  it('hashes no id and converts none to a string', () => {
    let calls = 0
    const registry = new SessionRegistry<string[]>({
      logIds: (given) => {
        calls += 1
        return given
      },
    })
    registry.set(id, [])
    registry.delete(id)

    expect(calls).toBe(0)
  })
})
