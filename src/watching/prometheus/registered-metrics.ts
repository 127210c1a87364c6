import type { Metric, Registry, RegistryContentType } from 'prom-client'
import { emitWarning } from '../../core/process/warning.ts'

/** A metric of prom-client, with the name that it is registered by. */
export interface NamedMetric {
  readonly name: string
  readonly metric: Metric
}

/** Our metrics in one register of prom-client. */
export class RegisteredMetrics {
  readonly #register: Registry<RegistryContentType>
  readonly #registered: readonly NamedMetric[]

  constructor(register: Registry<RegistryContentType>, metrics: readonly NamedMetric[]) {
    this.#register = register
    this.#registered = metrics.filter(({ name, metric }) => {
      if (register.getSingleMetric(name) === undefined) {
        register.registerMetric(metric)
        return true
      }
      // Metrics must not end a program.
      emitWarning(`The register of prom-client has a metric ${name} of other code, so this one is left out`)
      return false
    })
  }

  /** Whether the register still has one of them: it may have been cleared. */
  get areRegistered(): boolean {
    return this.#registered.some(({ name, metric }) => this.#register.getSingleMetric(name) === metric)
  }

  remove(): void {
    for (const { name, metric } of this.#registered) {
      if (this.#register.getSingleMetric(name) === metric) this.#register.removeSingleMetric(name)
    }
  }
}
