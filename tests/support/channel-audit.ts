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

export interface AuditOptions {
  readonly isComplete: boolean
  readonly isShared?: boolean
}

/** Checks what all registries publish from now on. */
export class ChannelAudit {
  /** Traces by operation. */
  readonly counts: Record<string, number> = {}
  readonly #traces = new Map<object, TraceParts & { readonly parts: string[] }>()
  /** What was published of each incarnation. */
  readonly #lives = new Map<string, { created: number; ended: number }>()
  readonly #problems: string[] = []
  readonly #undo: (() => void)[] = []
  readonly #isComplete: boolean
  readonly #isShared: boolean

  /**
   * `isComplete`: all registries are closed in the end; else sessions may be live, and operations under way.
   * `isShared`: processes on Redis, which may miss the reply by which they learn of a creation.
   */
  constructor({ isComplete, isShared = false }: AuditOptions) {
    this.#isComplete = isComplete
    this.#isShared = isShared
    this.#subscribe('session-registry:created', (message) => {
      this.#lifeOf(message as SessionMessages['created']).created += 1
    })
    this.#subscribe('session-registry:ended', (message) => {
      const life = this.#lifeOf(message as SessionMessages['ended'])
      if (life.created === 0 && !this.#isShared) this.#problems.push('ended before it was created')
      life.ended += 1
    })
    for (const operation of operations) {
      for (const part of parts)
        this.#subscribe(`tracing:session-registry:${operation}:${part}`, (message) =>
          this.#onTrace(operation, part, message as object),
        )
    }
  }

  get created(): number {
    return this.#lives.size
  }

  unsubscribe(): void {
    for (const undo of this.#undo) undo()
  }

  /** Returns what was wrong. */
  problems(): readonly string[] {
    const isComplete = this.#isComplete
    const problems = [...this.#problems]
    for (const { created, ended } of this.#lives.values()) {
      if (created > 1 || ended > 1 || (isComplete && ended === 0))
        problems.push(`created ${created} times, ended ${ended} times`)
    }
    for (const [message, trace] of this.#traces) problems.push(...problemsOf(message, trace, isComplete))
    return problems
  }

  #lifeOf({ incarnation }: { readonly incarnation: string }): { created: number; ended: number } {
    let life = this.#lives.get(incarnation)
    if (life === undefined) {
      life = { created: 0, ended: 0 }
      this.#lives.set(incarnation, life)
    }
    return life
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
