import { pino } from 'pino'
import type { MakeContender } from '../contender.ts'
import type { DemandName } from '../contenders.ts'
import { type Demand, loadSessionRegistry } from './session-registry.ts'

const demands: Readonly<Record<DemandName, Demand>> = {
  'a cap': { options: { maxSessions: 2 ** 17 } },
  'an absolute timeout': { options: { maxAgeMs: 86_400_000 } },
  'an archive hook': { options: { archive: async () => {} } },
  'a listener of `created`': { prepare: (registry) => registry.on('created', () => {}) },
  'a logger at level warn': { options: { logger: pino({ level: 'warn' }) } },
}

/** This library with more to do than to forget. */
export function loadDemanding(name: DemandName): Promise<MakeContender> {
  return loadSessionRegistry(demands[name])
}
