import { SessionRegistry } from 'session-registry'
import { instrument, type Meter, type Tracer } from './metrics/instrument.ts'

// In place of `metrics.getMeter('session-registry')` and `trace.getTracer('session-registry')`.
const gauges: Parameters<ReturnType<Meter['createObservableGauge']>['addCallback']>[0][] = []
const meter: Meter = {
  createObservableGauge: (_name) => ({ addCallback: (observe) => void gauges.push(observe) }),
  createCounter: (name) => ({ add: (n, attributes) => console.log(name, n, attributes) }),
  createHistogram: (name, { unit }) => ({ record: (_n, attributes) => console.log(name, unit, attributes) }),
}
const tracer: Tracer = {
  startSpan: (name) => ({
    recordException: (error) => console.log(name, 'failed:', String(error)),
    setStatus: () => {},
    end: () => console.log(name, 'ended'),
  }),
}

const chats = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
const stop = instrument({ chats }, { meter, tracer })

await chats.run('ada', ({ value }) => value.push('hello'))
await chats.run('ada', () => Promise.reject(new Error('the model is away'))).catch(() => {})
for (const observe of gauges) {
  observe({ observe: (n, attributes) => console.log('session_registry.sessions', n, attributes) })
}
chats.delete('ada')

stop()
await chats.run('ada', ({ value }) => value.push('unseen'))
