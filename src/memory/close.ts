import type { CloseReport } from '../core/close-report.ts'
import { closedError } from '../core/errors/turn-errors.ts'
import { creationRestricted } from './fast-path/blockers.ts'
import { Shutdown, type ShutdownLimits } from './shutdown.ts'
import type { Components } from './wiring.ts'

/** Closes a registry: from now on it accepts no new work. Returns the report of what ended. */
export function shutDown<T>(components: Components<T>, limits: ShutdownLimits): Promise<CloseReport<T>> {
  return new Promise((resolve) => {
    const shutdown = new Shutdown(components, limits, resolve)
    components.shutdown = shutdown
    components.blockers.block(creationRestricted)
    components.sweeper.stop()
    components.storage?.pruner.stop(closedError())
    components.step.run(() => components.loader.rejectAll(closedError()))
    shutdown.start()
  })
}
