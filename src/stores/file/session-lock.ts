import { randomUUID } from 'node:crypto'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import { pause } from '../../core/storing/pause.ts'
import { realClock } from '../../core/time/clock.ts'
import { removeTree, type SessionFolder } from './session-folder.ts'
import { hasCode, repeatWhileInUse } from './transient.ts'

/**
 * How long a lock may stand unchanged before a waiting process takes it for that of a dead one.
 *
 * Measured by the one that waits, on its own monotonic clock: no two clocks are compared.
 */
const leaseMs = 4_000

/** The longest pause between two looks at a lock that another process holds. */
const longestPauseMs = 25

/** How often it may be refused where no lock is to be seen, until it is no lock that refuses. */
const mostRefusals = 25

/**
 * What a write makes aside before it asks for the lock: a folder, with one in it that is named for this write
 * alone.
 */
export interface Staged {
  readonly path: string
  readonly token: string
}

/**
 * The right to change the file of one session, across processes.
 *
 * Node has no `flock`, so the lock is a folder, `k.lock`, with one entry in it, named by the token of the
 * holder. It is taken by renaming a folder that was made aside: that fails as long as there is a folder of
 * this name with anything in it.
 *
 * A holder that died is recognised by its token, which does not change for the length of the lease, and its
 * folder is renamed away. If it was alive after all, only late, it can do no harm, since each change is
 * itself a rename out of `k.lock/token/`, or into it: without the lock there is no such path, and the change
 * fails. That is a fencing token that the file system checks.
 */
export class SessionLock {
  readonly #folder: SessionFolder
  readonly #key: string
  readonly #path: string
  readonly #own: string

  constructor(folder: SessionFolder, key: string, token: string) {
    this.#folder = folder
    this.#key = key
    this.#path = folder.lockOf(key)
    this.#own = join(this.#path, token)
  }

  /** Makes the folder that will be the lock, with the new contents of the file in it, flushed to disk. */
  static async stage(
    folder: SessionFolder,
    key: string,
    write?: (path: string) => Promise<void>,
  ): Promise<Staged> {
    const staged = { path: folder.asideOf(key), token: randomUUID() }
    const inner = join(staged.path, staged.token)
    await fs.mkdir(staged.path)
    try {
      await fs.mkdir(inner)
      await write?.(join(inner, 'new'))
    } catch (error) {
      await discard(staged)
      throw error
    }
    return staged
  }

  /** Waits for the lock. Takes what was staged along, or removes it if the wait fails. */
  static async acquire(
    folder: SessionFolder,
    key: string,
    staged: Staged,
    signal?: AbortSignal,
  ): Promise<SessionLock> {
    const watch = new LockWatch(folder, key)
    try {
      for (let pauseMs = 1; !(await isTaken(staged.path, folder.lockOf(key), watch)); pauseMs *= 2) {
        await pause(Math.random() * Math.min(pauseMs, longestPauseMs), signal)
      }
    } catch (error) {
      await discard(staged)
      throw error
    }
    return new SessionLock(folder, key, staged.token)
  }

  /** Puts the staged contents in the place of the session's file. Returns `false` if the lock was lost. */
  async replaceFile(): Promise<boolean> {
    try {
      await repeatWhileInUse(() => fs.rename(join(this.#own, 'new'), this.#folder.fileOf(this.#key)))
      return true
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  }

  /** Removes the session's file, if there is one. Returns `false` if the lock was lost. */
  async removeFile(): Promise<boolean> {
    try {
      await repeatWhileInUse(() => fs.rename(this.#folder.fileOf(this.#key), join(this.#own, 'old')))
      return true
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      // Either the file was not there, or this lock is not there any more. A lock that was lost does not come
      // back.
      return exists(this.#own)
    }
  }

  /** Gives the lock up. What cannot be removed now is waited for no longer than a dead holder's lock. */
  async release(): Promise<void> {
    await fs.rm(this.#own, { recursive: true, force: true }).catch(() => {})
    // Fails where the next holder has already moved in, as it should.
    await fs.rmdir(this.#path).catch(() => {})
  }
}

/** What a waiting process knows of the lock that another one holds. */
class LockWatch {
  readonly #folder: SessionFolder
  readonly #key: string
  #token: string | undefined
  #since = 0
  #refusals = 0

  constructor(folder: SessionFolder, key: string) {
    this.#folder = folder
    this.#key = key
  }

  /**
   * Looks who holds the lock, and takes it from a holder that is dead. Throws `refusal` if there is no lock
   * to wait for.
   */
  async look(refusal: unknown): Promise<void> {
    const path = this.#folder.lockOf(this.#key)
    const token = await tokenIn(path)
    if (token === undefined) {
      this.#refusals += 1
      if (this.#refusals > mostRefusals) throw refusal
      // Windows renames no folder over an empty one.
      await fs.rmdir(path).catch(() => {})
      return
    }
    this.#refusals = 0
    if (token !== this.#token) {
      this.#token = token
      this.#since = realClock.now()
    } else if (realClock.now() - this.#since >= leaseMs) {
      // If another has taken it meanwhile, that one finds out, and asks anew.
      await removeTree(path, this.#folder.asideOf(this.#key)).catch(() => {})
    }
  }
}

/** Tries once to make the staged folder the lock. */
async function isTaken(staged: string, lock: string, watch: LockWatch): Promise<boolean> {
  try {
    await fs.rename(staged, lock)
    return true
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'EBUSY')) throw error
    await watch.look(error)
    return false
  }
}

async function tokenIn(lock: string): Promise<string | undefined> {
  try {
    return (await fs.readdir(lock))[0]
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await fs.stat(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/** Removes what was made aside for nothing. What is left behind all the same is cleared at a later start. */
async function discard({ path }: Staged): Promise<void> {
  await fs.rm(path, { recursive: true, force: true }).catch(() => {})
}
