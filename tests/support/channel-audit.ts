import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { SessionMessages } from 'session-registry'

const operations = ['turn', 'load', 'create', 'archive', 'save', 'dispose'] as const
const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

/** The orders in which the messages of one operation may come. */
const orders: readonly string[] = [
  'start end asyncStart asyncEnd',
  'start end error asyncStart asyncEnd',
  'start end settled',
  'start error end settled',
]

/** The operations that may need no promise. */
const synchronous: readonly string[] = ['create', 'dispose']

/** Checks what all registries publish from now on. */
export class ChannelAudit {
  /** Traces by operation. */
  readonly counts: Record<string, number> = {}
  readonly #traces = new Map<object, TraceParts & { readonly parts: string[] }>()
  /** The number of `ended` messages of each incarnation. */
  readonly #ends = new Map<string, number>()
  readonly #problems: string[] = []
  readonly #undo: (() => void)[] = []

  constructor() {
    this.#subscribe('session-registry:created', (message) => {
      const { incarnation } = message as SessionMessages['created']
      if (this.#ends.has(incarnation)) this.#problems.push('created twice')
      this.#ends.set(incarnation, 0)
    })
    this.#subscribe('session-registry:ended', (message) => {
      const { incarnation } = message as SessionMessages['ended']
      this.#ends.set(incarnation, (this.#ends.get(incarnation) ?? Number.NaN) + 1)
    })
    for (const operation of operations) {
      for (const part of parts)
        this.#subscribe(`tracing:session-registry:${operation}:${part}`, (message) =>
          this.#onTrace(operation, part, message as object),
        )
    }
  }

  get created(): number {
    return this.#ends.size
  }

  unsubscribe(): void {
    for (const undo of this.#undo) undo()
  }

  /**
   * Returns what was wrong. `isComplete`: all registries are closed; else sessions may be live, and
   * operations under way.
   */
  problems({ isComplete }: { readonly isComplete: boolean }): readonly string[] {
    const problems = [...this.#problems]
    for (const ends of this.#ends.values())
      if (ends !== 1 && (isComplete || ends !== 0)) problems.push(`ended ${ends} times`)
    for (const [message, trace] of this.#traces) problems.push(...problemsOf(message, trace, isComplete))
    return problems
  }

  #subscribe(name: string, subscriber: (message: unknown) => void): void {
    subscribe(name, subscriber)
    this.#undo.push(() => unsubscribe(name, subscriber))
  }

  #onTrace(operation: string, part: string, message: object): void {
    let trace = this.#traces.get(message)
    if (trace === undefined) {
      trace = { operation, parts: [] }
      this.#traces.set(message, trace)
      this.counts[operation] = (this.counts[operation] ?? 0) + 1
    }
    trace.parts.push(part)
  }
}

interface TraceParts {
  readonly operation: string
  readonly parts: readonly string[]
}

function problemsOf(message: object, { operation, parts }: TraceParts, isComplete: boolean): string[] {
  const isSettled = 'settled' in message
  const order = [...parts, ...(isSettled ? ['settled'] : [])].join(' ')
  const problems: string[] = []
  if (!orders.some((one) => (isComplete ? one === order : one.startsWith(order))))
    problems.push(`${operation}: ${order}`)
  if (isSettled && !synchronous.includes(operation)) problems.push(`${operation} is synchronous`)
  if ('error' in message !== parts.includes('error'))
    problems.push(`${operation}: an error without \`error\``)
  return problems
}
