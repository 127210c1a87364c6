import fs from 'node:fs/promises'
import { hasCode } from './transient.ts'

/**
 * Makes the names in a folder durable, after a rename or a removal.
 *
 * Does nothing if the platform cannot open a folder (Windows) or sync it (some network file systems).
 */
export async function syncFolder(path: string): Promise<void> {
  let handle: fs.FileHandle
  try {
    handle = await fs.open(path, 'r')
  } catch (error) {
    if (hasCode(error, 'EISDIR', 'EPERM', 'EACCES')) return
    throw error
  }
  try {
    await handle.sync()
  } catch (error) {
    if (!hasCode(error, 'EINVAL', 'ENOTSUP', 'EPERM', 'EBADF')) throw error
  } finally {
    await handle.close()
  }
}
