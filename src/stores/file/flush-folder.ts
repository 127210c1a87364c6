import fs from 'node:fs/promises'
import { hasCode } from './transient.ts'

/**
 * Makes what was renamed or removed in a folder durable.
 *
 * Where a folder cannot be opened (Windows) or flushed (some network file systems) there is nothing of the
 * kind to do.
 */
export async function flushFolder(path: string): Promise<void> {
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
