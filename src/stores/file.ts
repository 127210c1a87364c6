import { statSync } from 'node:fs'
import { checkText } from '../core/options/validate.ts'
import type { SessionStore } from '../core/store.ts'
import { FileStore } from './file/file-store.ts'
import { notAFolder } from './file/session-folder.ts'

/**
 * A store that keeps each session in a file of its own, on any runtime.
 *
 * A session is written aside, flushed to disk and renamed into its place: after a crash a file has the old
 * contents or the new ones. Several processes may share the folder: a write compares under a lock, and a lock
 * whose holder has died is taken over after at most five seconds, for which a `put` waits. The folder is made
 * at the first use, and should be on a local disk.
 *
 * `owned` reads every file. `prune` looks at the time of every file, which is that of the last activity.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID` where `folder` is the path of something else
 *
 * @example
 * const sessions = new SessionRegistry<string[]>({ create: () => [], store: fileStore('./sessions') })
 */
export function fileStore(folder: string): SessionStore {
  const path = checkText('folder', folder)
  if (isSomethingElse(path)) throw notAFolder()
  return new FileStore(path)
}

function isSomethingElse(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false
  } catch {
    // What cannot be looked at is for the first use to report.
    return false
  }
}
