import type { SessionEvents, SweepSummary } from 'session-registry'

type Listens<T> = {
  on<E extends 'created' | 'expired' | 'ended' | 'swept'>(
    event: E,
    listener: (...args: SessionEvents<T>[E]) => void,
  ): unknown
}

/** Records the events of a registry, each as a line such as `ended a idle`. */
export class EventRecorder<T> {
  readonly sweeps: SweepSummary[] = []
  #lines: string[] = []

  constructor(registry: Listens<T>) {
    registry.on('created', (session) => this.#lines.push(`created ${session.id}`))
    registry.on('expired', (session, reason) => this.#lines.push(`expired ${session.id} ${reason}`))
    registry.on('ended', (session, reason) => this.#lines.push(`ended ${session.id} ${reason}`))
    registry.on('swept', (summary) => this.sweeps.push(summary))
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  /** Returns the lines since the last call. */
  take(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }
}
