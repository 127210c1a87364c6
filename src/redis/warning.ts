import process from 'node:process'
import type { EventQueue } from '../core/events/event-queue.ts'
import type { BoundLogger } from '../core/events/logger.ts'

/** Warns the operator: in the log, or without a logger as a warning of the process. */
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
}
