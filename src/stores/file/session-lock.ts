import { randomUUID } from 'node:crypto'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import { pause } from '../../core/storing/pause.ts'
import { type Backoff, backoffMs, jitter } from '../../core/time/backoff.ts'
import { realClock } from '../../core/time/clock.ts'
import { removeTree, type SessionFolder } from './session-folder.ts'
import { hasCode, repeatWhileInUse } from './transient.ts'

/**
 * The time after which a waiting process takes over a lock that has not changed hands, in milliseconds.
 *
 * The waiting process measures it on its own monotonic clock, so no two clocks are compared.
 */
const leaseMs = 4_000

/** Pauses between two attempts at a lock that another process holds. */
const backoff: Backoff = { firstMs: 1, maxMs: 20 }

/** The most refusals without a visible lock: after that, the refusal has another cause. */
const mostRefusals = 25

/**
 * A folder that becomes the lock of one write by a rename. It contains one folder, named by a unique token.
 */
export interface Staged {
  readonly path: string
  readonly token: string
}

/**
 * The right to change the file of one session, across processes.
 *
 * Node has no `flock`, so the lock is a folder, `k.lock`, with one entry, named by the holder's token. A
 * process acquires it by renaming a staged folder, which fails while a folder of this name is not empty.
 *
 * A lock whose token has not changed during the lease belongs to a dead process, and its folder is renamed
 * away. A holder that was only slow does no harm: every change is a rename out of `k.lock/token/` or into it,
 * and without the lock that path does not exist. So the token is a fencing token that the file system checks.
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

  /**
   * Creates the folder that will be the lock. `write` puts the new contents of the file into it, synced to
   * disk.
   */
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

  /** Waits for the lock. Removes the staged folder if the wait fails. */
  static async acquire(
    folder: SessionFolder,
    key: string,
    staged: Staged,
    signal?: AbortSignal,
  ): Promise<SessionLock> {
    const watch = new LockWatch(folder, key)
    try {
      for (let attempt = 1; !(await isTaken(staged.path, folder.lockOf(key), watch)); attempt += 1) {
        await pause(jitter(backoffMs(attempt, backoff)), signal)
      }
    } catch (error) {
      await discard(staged)
      throw error
    }
    return new SessionLock(folder, key, staged.token)
  }

  /** Replaces the session's file by the staged contents. Returns `false` if the lock was lost. */
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
      // Either there was no file, or the lock was lost. A lost lock does not come back.
      return exists(this.#own)
    }
  }

  /** Releases the lock. If it cannot be removed, it lapses like the lock of a dead holder. */
  async release(): Promise<void> {
    await fs.rm(this.#own, { recursive: true, force: true }).catch(() => {})
    // Fails if the next holder already has the lock, as it should.
    await fs.rmdir(this.#path).catch(() => {})
  }
}

/** The state of a wait for a lock that another process holds. */
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
   * Checks who holds the lock, and takes it from a dead holder. Throws `refusal` if there is no lock to wait
   * for.
   */
  async look(refusal: unknown): Promise<void> {
    const path = this.#folder.lockOf(this.#key)
    const token = await tokenIn(path)
    if (token === undefined) {
      this.#refusals += 1
      if (this.#refusals > mostRefusals) throw refusal
      // Windows does not rename a folder over an empty one.
      await fs.rmdir(path).catch(() => {})
      return
    }
    this.#refusals = 0
    if (token !== this.#token) {
      this.#token = token
      this.#since = realClock.now()
    } else if (realClock.now() - this.#since >= leaseMs) {
      // If another process has acquired it meanwhile, that one notices at its change and starts again.
      await removeTree(path, this.#folder.asideOf(this.#key)).catch(() => {})
    }
  }
}

/** Reports whether the staged folder has become the lock. One attempt. */
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

/** Removes a staged folder. A later start clears what cannot be removed. */
async function discard({ path }: Staged): Promise<void> {
  await fs.rm(path, { recursive: true, force: true }).catch(() => {})
}
