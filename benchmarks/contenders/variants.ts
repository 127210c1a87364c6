import { pino } from 'pino'
import type { MakeContender } from '../contender.ts'
import type { VariantName } from '../contenders.ts'
import { loadSessionRegistry, type Variant } from './session-registry.ts'

const variants: Readonly<Record<VariantName, Variant>> = {
  'a cap': { options: { maxSessions: 2 ** 17 } },
  'an absolute timeout': { options: { maxAgeMs: 86_400_000 } },
  'an archive hook': { options: { archive: async () => {} } },
  'a listener of `created`': { prepare: (registry) => registry.on('created', () => {}) },
  'a logger at level warn': { options: { logger: pino({ level: 'warn' }) } },
}

/** Loads this library with an option that adds work beside expiry. */
export function loadVariant(name: VariantName): Promise<MakeContender> {
  return loadSessionRegistry(variants[name])
}
