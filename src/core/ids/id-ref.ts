import { createHmac, randomBytes } from 'node:crypto'
import { processSingleton } from '../process/process-singleton.ts'

/** 96 bits: no two ids of one process have the same. */
const refLength = 16

let key: Buffer | undefined

/**
 * Returns the keyed hash that stands for an id in log lines.
 *
 * It cannot be undone by hashing likely ids, as its key is random and never leaves the process. Two ids that
 * differ in any UTF-16 unit have different ones.
 */
export function refOf(id: string): string {
  key ??= processSingleton('ref-key', () => randomBytes(32))
  return createHmac('sha256', key).update(id, 'utf16le').digest('base64url').slice(0, refLength)
}
