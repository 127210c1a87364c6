import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { SessionMessages, SessionTraces } from 'session-registry'
import { onTestFinished } from 'vitest'

type Message = SessionMessages[keyof SessionMessages] | SessionTraces[keyof SessionTraces]
type KeysOf<U> = U extends unknown ? keyof U : never
type ValueOf<U, K extends PropertyKey> = U extends { readonly [P in K]?: infer V } ? V : never

/** A message of any channel. */
type Recorded = { readonly [K in KeysOf<Message>]?: ValueOf<Message, K> }

const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

const names: Readonly<Record<string, readonly string[]>> = {
  created: ['session-registry:created'],
  ended: ['session-registry:ended'],
  swept: ['session-registry:swept'],
  error: ['session-registry:error'],
  ...Object.fromEntries(
    ['turn', 'load', 'create', 'archive', 'save', 'dispose'].map((operation) => [
      operation,
      parts.map((part) => `tracing:session-registry:${operation}:${part}`),
    ]),
  ),
}

/** A message, with the last parts of the name of its channel: `created`, or `turn:start`. */
interface Publication {
  readonly name: string
  readonly message: Recorded
}

/**
 * The messages of one registry on some channels, such as `created` or `turn`, until the test has finished.
 */
export class ChannelRecorder {
  readonly publications: Publication[] = []

  /** `onMessage` is called with the name of each message. */
  constructor(registry: string, channels: readonly string[], onMessage: (name: string) => void = () => {}) {
    for (const full of channels.flatMap((channel) => names[channel] ?? [])) {
      const name = full.replace(/^(tracing:)?session-registry:/, '')
      const record = (given: unknown) => {
        const message = given as Recorded
        if (message.registry !== registry) return
        this.publications.push({ name, message })
        onMessage(name)
      }
      subscribe(full, record)
      onTestFinished(() => {
        unsubscribe(full, record)
      })
    }
  }

  get names(): string[] {
    return this.publications.map(({ name }) => name)
  }

  /** The messages of one channel. */
  of(name: string): Recorded[] {
    return this.publications.filter((one) => one.name === name).map(({ message }) => message)
  }
}

/** The names of the messages of an operation that has succeeded. */
export function settledSteps(operation: string): string[] {
  return ['start', 'end', 'asyncStart', 'asyncEnd'].map((part) => `${operation}:${part}`)
}

/** The names of the messages of an operation that has failed. */
export function failedSteps(operation: string): string[] {
  return ['start', 'end', 'error', 'asyncStart', 'asyncEnd'].map((part) => `${operation}:${part}`)
}
