import { statSync } from 'node:fs'
import fs from 'node:fs/promises'
import { checkText } from '../../core/options/validate.ts'
import type {
  DeleteContext,
  PutContext,
  SessionStore,
  StoreContext,
  StoredSession,
} from '../../core/store.ts'
import { decodeSession, encodeSession, withId } from '../../core/storing/session-text.ts'
import { checkStorable } from '../../core/storing/storable.ts'
import { hashText } from '../../core/storing/text-hash.ts'
import { unlessAborted } from '../../core/storing/unless-aborted.ts'
import { notAFolder, SessionFolder } from './session-folder.ts'
import { SessionLock } from './session-lock.ts'
import { hasCode, repeatWhileInUse } from './transient.ts'

/** Number of files that `owned` and `prune` read at the same time. */
const readersAtOnce = 16

/** The coarsest resolution of file times, in milliseconds (FAT). */
const mtimeSlackMs = 2_000

/** A change under the lock of a session. Returns `undefined` if the lock was lost before it took effect. */
type Change<R> = (lock: SessionLock) => Promise<R | undefined>

/**
 * A store that keeps each session in a file of its own, on any runtime.
 *
 * A session is written to a temporary file, synced to disk and renamed, so after a crash a file has the old
 * contents or the new ones. Several processes may share the folder. A write compares under a lock; the lock
 * of a holder that died is taken over after at most five seconds, and a `put` waits that long. The folder is
 * created at the first use. It should be on a local disk.
 *
 * `owned` reads every file. `prune` looks at the modification time of every file, which is the time of the
 * last activity.
 *
 * @throws SessionRegistryError `ERR_SESSION_OPTION_INVALID`: no path, or the path of a file; also as the
 *   rejection of a call, if there is a file by then
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
    // The first use reports a path that cannot be examined.
    return false
  }
}

/** The store of `fileStore`. */
class FileStore implements SessionStore {
  readonly #folder: SessionFolder
  /** Keys that the last scan of the folder found old. So not every batch scans the folder. */
  #candidates: string[] = []

  constructor(path: string) {
    this.#folder = new SessionFolder(path)
  }

  async get(id: string, { signal }: StoreContext): Promise<StoredSession | undefined> {
    signal.throwIfAborted()
    await this.#folder.ready()
    const session = await unlessAborted(this.#read(hashText(id)), signal)
    return session && withId(session, id)
  }

  async put(session: StoredSession, { signal, replaces }: PutContext): Promise<boolean> {
    signal.throwIfAborted()
    checkStorable(session)
    const { id, revision } = session
    const key = hashText(id)
    const write = (path: string) => writeDurably(path, encodeSession(session), session.lastActiveAt)
    return this.#change(key, write, signal, async (lock) => {
      if (replaces !== undefined) {
        const found = (await this.#read(key))?.revision ?? null
        if (found !== replaces && found !== revision) return false
      }
      signal.throwIfAborted()
      if (!(await lock.replaceFile())) return undefined
      await this.#folder.sync()
      return true
    })
  }

  async delete(id: string, { signal, replaces }: DeleteContext): Promise<void> {
    signal.throwIfAborted()
    const key = hashText(id)
    await this.#change(key, undefined, signal, async (lock) => {
      if (replaces !== undefined && (await this.#read(key))?.revision !== replaces) return true
      signal.throwIfAborted()
      return this.#remove(lock)
    })
  }

  async prune(before: number, limit: number): Promise<string[]> {
    const pruned: string[] = []
    await this.#pruneCandidates(before, limit, pruned)
    if (pruned.length < limit) {
      this.#candidates = await this.#lastWrittenBefore(before + mtimeSlackMs)
      await this.#pruneCandidates(before, limit, pruned)
    }
    return pruned
  }

  async owned(owner: string): Promise<string[]> {
    await this.#folder.ready()
    const ids: string[] = []
    await forEach(await this.#folder.keys(), async (key) => {
      const session = await this.#read(key)
      if (session?.owner === owner) ids.push(session.id)
    })
    return ids
  }

  async #read(key: string): Promise<StoredSession | undefined> {
    let text: string
    try {
      text = await repeatWhileInUse(() => fs.readFile(this.#folder.fileOf(key), 'utf8'))
    } catch (error) {
      // Every other code is a failure: a folder of that name, a missing right, too many open files.
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    }
    return decodeSession(text)
  }

  async #change<R>(
    key: string,
    write: ((path: string) => Promise<void>) | undefined,
    signal: AbortSignal | undefined,
    change: Change<R>,
  ): Promise<R> {
    for (;;) {
      signal?.throwIfAborted()
      await this.#folder.ready()
      const staged = await this.#staged(key, write)
      let lock: SessionLock
      try {
        lock = await SessionLock.acquire(this.#folder, key, staged, signal)
      } catch (error) {
        // The staged folder waited so long that another process cleared it as the leftover of a dead one.
        if (hasCode(error, 'ENOENT')) continue
        throw error
      }
      try {
        const result = await change(lock)
        if (result !== undefined) return result
      } finally {
        await lock.release()
      }
    }
  }

  async #staged(key: string, write: ((path: string) => Promise<void>) | undefined) {
    try {
      return await SessionLock.stage(this.#folder, key, write)
    } catch (error) {
      // The folder may have been removed. The next call creates it again.
      if (hasCode(error, 'ENOENT')) this.#folder.forget()
      throw error
    }
  }

  /** Returns `undefined` if the lock was lost. */
  async #remove(lock: SessionLock): Promise<true | undefined> {
    if (!(await lock.removeFile())) return undefined
    await this.#folder.sync()
    return true
  }

  /** Returns the keys of the files with an earlier modification time, oldest first. */
  async #lastWrittenBefore(moment: number): Promise<string[]> {
    await this.#folder.ready()
    const found: { readonly key: string; readonly mtimeMs: number }[] = []
    await forEach(await this.#folder.keys(), async (key) => {
      try {
        const { mtimeMs } = await fs.stat(this.#folder.fileOf(key))
        if (mtimeMs < moment) found.push({ key, mtimeMs })
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error
      }
    })
    return found.toSorted((one, other) => one.mtimeMs - other.mtimeMs).map(({ key }) => key)
  }

  async #pruneCandidates(before: number, limit: number, pruned: string[]): Promise<void> {
    while (pruned.length < limit) {
      const key = this.#candidates.shift()
      if (key === undefined) return
      const id = await this.#pruneOne(key, before)
      if (id !== undefined) pruned.push(id)
    }
  }

  async #pruneOne(key: string, before: number): Promise<string | undefined> {
    const isOld = (session: StoredSession | undefined) =>
      session !== undefined && session.lastActiveAt < before
    // A damaged file is not known to be old, and must not stop the pruning of the others.
    if (!isOld(await this.#read(key).catch(() => undefined))) return undefined
    const { id } = await this.#change(key, undefined, undefined, async (lock) => {
      const session = await this.#read(key)
      if (!isOld(session)) return { id: undefined }
      return (await this.#remove(lock)) && { id: session?.id }
    })
    return id
  }
}

async function writeDurably(path: string, contents: string, lastActiveAt: number): Promise<void> {
  const handle = await fs.open(path, 'wx')
  try {
    await handle.writeFile(contents)
    // So `prune` finds old sessions without reading all files. It reads those that it deletes, so a time that
    // the file system cannot keep does no harm.
    await fs.utimes(path, lastActiveAt / 1_000, lastActiveAt / 1_000).catch(() => {})
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Calls `use` for each element, several at the same time. */
async function forEach<A>(all: readonly A[], use: (one: A) => Promise<void>): Promise<void> {
  const left = all.values()
  const take = async () => {
    for (const one of left) await use(one)
  }
  await Promise.all(Array.from({ length: readersAtOnce }, take))
}
