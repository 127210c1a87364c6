import type { EventQueue } from '../core/events/event-queue.ts'
import type { LogLine } from '../core/events/log-lines.ts'
import type { BoundLogger } from '../core/events/logger.ts'
import { emitWarning } from '../core/process/warning.ts'

/** Warns the operator: in the log, or without a logger as a warning of the process. */
export function warn(events: EventQueue, logger: BoundLogger | undefined, line: LogLine): void {
  if (logger === undefined) emitWarning([line.message, ...textsOf(line.fields)].join('; '))
  else events.log(line)
}

function textsOf(fields: object): string[] {
  return Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
}
