import { context, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { callAround } from '../../core/watching/around.ts'
import type { SessionTraces } from '../../core/watching/channels.ts'
import { errorType } from './error-type.ts'

/** The span of one turn, which is made as the turn starts, in the context of its caller. */
export class TurnSpan {
  readonly #span: Span

  /** Starts the span, and makes it the active one in the turn. */
  constructor(tracer: Tracer, message: SessionTraces['turn']) {
    const { registry, ref, whenBusy, waitedMs } = message
    const caller = context.active()
    const attributes = {
      registry,
      'gen_ai.conversation.id': ref,
      'session_registry.when_busy': whenBusy,
      'session_registry.waited_ms': waitedMs,
    }
    this.#span = tracer.startSpan('session turn', { attributes }, caller)
    const inTurn = trace.setSpan(caller, this.#span)
    callAround(message, (call) => context.with(inTurn, call))
  }

  /** Ends it. `outcome`: the message of the turn when it has settled. */
  end(outcome: { readonly error?: unknown } = {}): void {
    if ('error' in outcome) {
      // Neither the message nor the stack of the error: it may have anything in it.
      this.#span.setStatus({ code: SpanStatusCode.ERROR })
      this.#span.setAttribute('error.type', errorType(outcome.error))
    }
    this.#span.end()
  }
}
