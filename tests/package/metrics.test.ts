import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ConsumerProject } from './consumer-project.ts'

// Each test is a process or a compiler; the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const types = ['@types/node', 'undici-types']

let project: ConsumerProject

beforeAll(async () => {
  project = await ConsumerProject.create()
  for (const name of ['prom-client', '@opentelemetry/api', '@opentelemetry/sdk-trace-base', ...types])
    await project.link(name)
}, 180_000)

afterAll(() => project?.remove())

/** Programs with the registry and the entry of one module system each. */
const forms = {
  'ESM with ESM': `import { SessionRegistry } from 'session-registry'
    import { collect } from 'session-registry/prometheus'
    import { register } from 'prom-client'`,
  'CJS with ESM': `import { createRequire } from 'node:module'
    import { collect } from 'session-registry/prometheus'
    import { register } from 'prom-client'
    const { SessionRegistry } = createRequire(import.meta.url)('session-registry')`,
  'ESM with CJS': `import { createRequire } from 'node:module'
    import { SessionRegistry } from 'session-registry'
    const { collect } = createRequire(import.meta.url)('session-registry/prometheus')
    const { register } = createRequire(import.meta.url)('prom-client')`,
}

const counting = `
  const sessions = new SessionRegistry({ create: () => [] })
  const undo = collect(sessions, { register })
  await sessions.run('ada', () => {})
  sessions.delete('ada')
  const text = await register.metrics()
  console.log(text.match(/^session_registry_(ended_total.*deleted|turn_duration_seconds_count).*/gm).join(' '))
  undo()
  console.log(register.getMetricsAsArray().length)`

describe('the entry for Prometheus', () => {
  it.each(Object.entries(forms))(
    'counts a registry of the same or the other build: %s',
    async (_name, form) => {
      const { stdout } = await project.run('prometheus.mjs', `${form}\n${counting}`)

      expect(stdout).toBe(
        'session_registry_ended_total{registry="sessions",reason="deleted"} 1 ' +
          'session_registry_turn_duration_seconds_count{registry="sessions"} 1\n0\n',
      )
    },
  )

  it('shares the names of one register between both builds', async () => {
    const { stdout, stderr } = await project.run(
      'both.mjs',
      `import { createRequire } from 'node:module'
      import { SessionRegistry } from 'session-registry'
      import { collect } from 'session-registry/prometheus'
      import { register } from 'prom-client'
      const other = createRequire(import.meta.url)('session-registry/prometheus')
      collect(new SessionRegistry({ name: 'chats' }), { register })
      other.collect(new SessionRegistry({ name: 'carts' }), { register })
      console.log((await register.metrics()).match(/^session_registry_ready.*/gm).join(' '))`,
    )

    expect(stderr).toBe('')
    expect(stdout).toBe(
      'session_registry_ready{registry="chats"} 1 session_registry_ready{registry="carts"} 1\n',
    )
  })

  it('has the types of prom-client', async () => {
    await project.write(
      'typed.mts',
      `import { type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client'
      import { SessionRegistry } from 'session-registry'
      import type { RedisSessionRegistry } from 'session-registry/redis'
      import { collect } from 'session-registry/prometheus'
      declare const redis: RedisSessionRegistry<{ a: string }>
      declare const open: Registry<OpenMetricsContentType>
      const memory = new SessionRegistry<string[]>()
      const undo: () => void = collect([memory, redis], { register: new Registry<PrometheusContentType>() })
      collect(memory, { register: open })
      collect(redis)
      // @ts-expect-error not a registry
      collect(new Map())
      // @ts-expect-error no option
      collect(memory, { registry: open })
      undo()`,
    )
    const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', types: ['node'] }
    await project.write('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['typed.mts'] }))

    expect((await project.tsc('.').catch((error) => error)).stdout).toBe('')
  })
})

const formsOfTelemetry = Object.entries(forms).map(([name, form]) => [
  name,
  form
    .replace(/\bcollect\b/g, 'instrument')
    .replace('session-registry/prometheus', 'session-registry/opentelemetry')
    .replace(/.*prom-client.*/, ''),
])

describe('the entry for OpenTelemetry', () => {
  it.each(formsOfTelemetry)('traces a registry of the same or the other build: %s', async (_name, form) => {
    const { stdout } = await project.run(
      'opentelemetry.mjs',
      `${form}
      import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
      const exporter = new InMemorySpanExporter()
      const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
      const sessions = new SessionRegistry({ create: () => [] })
      const undo = instrument(sessions, { tracerProvider })
      await sessions.run('ada', () => {})
      undo()
      await sessions.run('ada', () => {})
      const [span, ...others] = exporter.getFinishedSpans()
      console.log(span.name, span.attributes['gen_ai.conversation.id'] === sessions.ref('ada'), others.length)`,
    )

    expect(stdout).toBe('session turn true 0\n')
  })

  it('has the types of OpenTelemetry', async () => {
    await project.write(
      'traced.mts',
      `import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
      import { SessionRegistry } from 'session-registry'
      import { instrument } from 'session-registry/opentelemetry'
      import type { RedisSessionRegistry } from 'session-registry/redis'
      declare const redis: RedisSessionRegistry<{ a: string }>
      declare const meterProvider: MeterProvider
      declare const tracerProvider: TracerProvider
      const undo: () => void = instrument(redis, { meterProvider, tracerProvider })
      instrument(new SessionRegistry<string[]>())
      // @ts-expect-error not a registry
      instrument(new Map())
      // @ts-expect-error a provider of something else
      instrument(redis, { meterProvider: tracerProvider })
      undo()`,
    )
    const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', types: ['node'] }
    await project.write('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['traced.mts'] }))

    expect((await project.tsc('.').catch((error) => error)).stdout).toBe('')
  })
})
