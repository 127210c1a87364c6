import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { processSingleton } from '../process/process-singleton.ts'

/** Length of a ref in base64url characters: 96 bits, so that two ids of one process do not collide. */
const refLength = 16

// Not the bytes: Node 24 would make a key of them at each call, for 10 µs.
let key: KeyObject | undefined

/**
 * Returns the keyed hash of an id, for log lines.
 *
 * Hashing likely ids does not reveal it, since its key is random and never leaves the process. Ids that
 * differ in any UTF-16 unit have different hashes.
 */
export function refOf(id: string): string {
  key ??= createSecretKey(processSingleton('ref-key', () => randomBytes(32)))
  return createHmac('sha256', key).update(id, 'utf16le').digest('base64url').slice(0, refLength)
}
