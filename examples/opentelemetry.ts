import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { SessionRegistry } from 'session-registry'
import { instrument } from 'session-registry/opentelemetry'

// Your set-up of the SDK, such as `new NodeSDK({ … }).start()`. Here it keeps what it would send.
const spans = new InMemorySpanExporter()
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
metrics.setGlobalMeterProvider(meterProvider)

const chats = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
const undo = instrument(chats) // after the SDK is set up

const tracer = trace.getTracer('my-app')
await tracer.startActiveSpan('POST /chat', async (request) => {
  await chats.run('ada', async ({ value }) => {
    await tracer.startActiveSpan('ask the model', async (span) => span.end())
    value.push('hello')
  })
  request.end()
})

for (const { name, parentSpanContext } of spans.getFinishedSpans()) {
  const parent = spans
    .getFinishedSpans()
    .find((one) => one.spanContext().spanId === parentSpanContext?.spanId)
  console.log(parent === undefined ? name : `${name}, in ${parent.name}`)
}
await meterProvider.forceFlush()
for (const { scopeMetrics } of exporter.getMetrics()) {
  for (const { descriptor } of scopeMetrics.flatMap((scope) => scope.metrics)) console.log(descriptor.name)
}

undo()
await meterProvider.shutdown()
