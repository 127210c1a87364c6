import fs from 'node:fs/promises'
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
import { SessionFolder } from './session-folder.ts'
import { SessionLock } from './session-lock.ts'
import { hasCode, repeatWhileInUse } from './transient.ts'

/** Files that `owned` and `prune` read at a time. */
const readersAtOnce = 16

/** File systems keep times in units of their own. */
const mtimeSlackMs = 2_000

/**
 * What is to be done under the lock of a session. Returns `undefined` if the lock was lost before it was
 * done.
 */
type Change<R> = (lock: SessionLock) => Promise<R | undefined>

/** The store of `fileStore`. */
export class FileStore implements SessionStore {
  readonly #folder: SessionFolder
  /**
   * Keys of sessions that were old when the folder was last looked through. So not every batch looks through
   * it.
   */
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
      await this.#folder.flush()
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
      // Nothing else means that there is no session: not a path that is a folder, no missing right, no lack
      // of handles.
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
        // What was made aside is gone: it had waited so long that another process took it for a dead one's.
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
      // The next call makes the folder again, if somebody has removed it.
      if (hasCode(error, 'ENOENT')) this.#folder.forget()
      throw error
    }
  }

  /** Returns `undefined` if the lock was lost. */
  async #remove(lock: SessionLock): Promise<true | undefined> {
    if (!(await lock.removeFile())) return undefined
    await this.#folder.flush()
    return true
  }

  /**
   * Returns the keys of the files whose time, which is that of the last activity, is earlier; the oldest
   * first.
   */
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
    // What is damaged is not known to be old, and must not keep the others from being pruned.
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
    // Lets `prune` find old sessions without reading all of them. A time that the file system cannot keep is
    // no fault.
    await fs.utimes(path, lastActiveAt / 1_000, lastActiveAt / 1_000).catch(() => {})
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Calls `use` for each, some of them side by side. */
async function forEach<A>(all: readonly A[], use: (one: A) => Promise<void>): Promise<void> {
  const left = all.values()
  const take = async () => {
    for (const one of left) await use(one)
  }
  await Promise.all(Array.from({ length: readersAtOnce }, take))
}
