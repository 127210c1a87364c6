import process from 'node:process'
import type { EventQueue } from '../core/events/event-queue.ts'
import type { BoundLogger } from '../core/events/logger.ts'

/**
 * Says something that an administrator has to know: in the log, or where there is none as a warning of the
 * process.
 */
export function warn(
  events: EventQueue,
  logger: BoundLogger | undefined,
  message: string,
  fields: object = {},
): void {
  if (logger === undefined) {
    process.emitWarning(message, { type: 'SessionRegistryWarning' })
    return
  }
  events.log({ level: 'warn', message, fields })
  events.flush()
}
