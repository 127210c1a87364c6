import { Registry } from 'prom-client'
import { SessionRegistry } from 'session-registry'
import { instrument } from 'session-registry/opentelemetry'
import { collect } from 'session-registry/prometheus'
import { describe, expect, it } from 'vitest'
import { describeNoEcho } from '../support/no-echo.ts'
import { pollute } from '../support/pollute.ts'

const sessions = new SessionRegistry<string[]>({ create: () => [] })

describeNoEcho({
  'collect: registries': (given) => collect(given, { register: new Registry() }),
  'collect: a registry': (given) => collect([sessions, given], { register: new Registry() }),
  'collect: options': (given) => collect([], given),
  'collect: register': (register) => collect([], { register }),
  'instrument: registry': (given) => instrument(given),
  'instrument: options': (given) => instrument(sessions, given),
  'instrument: meterProvider': (meterProvider) => instrument(sessions, { meterProvider }),
  'instrument: tracerProvider': (tracerProvider) => instrument(sessions, { tracerProvider }),
})

describe('a polluted prototype', () => {
  it('provides neither a register nor providers', () => {
    pollute({ register: 7, meterProvider: 7, tracerProvider: 7 })

    expect(() => collect(sessions, {})()).not.toThrow()
    expect(() => instrument(sessions, {})()).not.toThrow()
  })

  it('breaks no scrape, and no count', async () => {
    const register = new Registry()
    pollute({ polluted: 'label' })
    const stop = collect(sessions, { register })
    await sessions.run('ada', () => {})
    sessions.delete('ada')
    const text = await register.metrics()
    stop()

    expect(text).toContain('session_registry_ready{registry="sessions"} 1\n')
    expect(text).toContain('session_registry_ended_total{registry="sessions",reason="deleted"} 1\n')
    expect(text).toContain('session_registry_turn_duration_seconds_count{registry="sessions"} 1\n')
  })
})
