import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { metrics, sessions } from '../../examples/prom-client.ts'

describe('examples/prom-client.ts', () => {
  it('exports sessions by state, what was counted, durations of turns, and readiness', async () => {
    metrics.listen(0, '127.0.0.1')
    await once(metrics, 'listening')
    onTestFinished(() => void metrics.close())
    const { port } = metrics.address() as AddressInfo
    await sessions.run('ada', ({ value }) => value.push('hello'))
    await sessions.run('ada', () => Promise.reject(new Error('the model is away'))).catch(() => {})
    await sessions.run('ben', ({ value }) => value.push('hello'))
    sessions.delete('ben')

    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    const lines = (await response.text()).split('\n')

    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(lines).toEqual(
      expect.arrayContaining([
        'session_registry_sessions{registry="chats",state="active"} 1',
        'session_registry_sessions{registry="chats",state="held"} 0',
        'session_registry_ready{registry="chats"} 1',
        'session_registry_created_total{registry="chats"} 2',
        'session_registry_ended_total{registry="chats",reason="deleted"} 1',
        'session_registry_ended_total{registry="chats",reason="idle"} 0',
        'session_registry_turn_duration_seconds_bucket{le="1200",registry="chats",outcome="done"} 2',
        'session_registry_turn_duration_seconds_count{registry="chats",outcome="done"} 2',
        'session_registry_turn_duration_seconds_count{registry="chats",outcome="failed"} 1',
      ]),
    )
  })
})
