import type { EventEmitter } from 'node:events'
import type { OnPending } from '../../src/core/events/event-queue.ts'
import { Step } from '../../src/core/events/step.ts'

/** Returns the step of a registry without a logger. */
export function quietStep(emitter: EventEmitter, onPending?: OnPending): Step {
  return new Step(emitter, { name: 'sessions', logger: undefined, logId: (id) => id }, onPending)
}
