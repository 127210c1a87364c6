import { randomUUID } from 'node:crypto'
import fs from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { systemClock } from '../../core/time/clock.ts'
import { syncFolder } from './sync-folder.ts'
import { hasCode } from './transient.ts'

const sessionFile = /^([0-9a-f]{64})\.json$/
/** Names of staged folders and of locks. */
const leftover = /^[0-9a-f]{64}\.(?:lock|[0-9a-f-]{36}\.tmp)$/

/**
 * The age from which a staged folder or a lock is cleared, in milliseconds. A write that takes longer stages
 * again.
 */
const leftoverAgeMs = 3_600_000

/** The error of a path that is not a folder. */
export function notAFolder(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `folder` to be the path of a folder, got the path of something else',
  )
}

/** The folder of a file store. A session of key `k` is `k.json`, its lock `k.lock`; `k.*.tmp` are staged. */
export class SessionFolder {
  readonly #path: string
  #ready: Promise<void> | undefined

  constructor(path: string) {
    // A later `process.chdir` must not move the sessions.
    this.#path = resolve(path)
  }

  /**
   * Creates the folder if there is none, and clears the leftovers of dead processes. Once, after a failure
   * again.
   */
  async ready(): Promise<void> {
    this.#ready ??= this.#prepare()
    try {
      await this.#ready
    } catch (error) {
      this.forget()
      throw error
    }
  }

  /** Makes the next `ready` check the folder again. */
  forget(): void {
    this.#ready = undefined
  }

  fileOf(key: string): string {
    return join(this.#path, `${key}.json`)
  }

  lockOf(key: string): string {
    return join(this.#path, `${key}.lock`)
  }

  /** Returns a new name for a staged folder. */
  asideOf(key: string): string {
    return join(this.#path, `${key}.${randomUUID()}.tmp`)
  }

  /** Returns the keys of all stored sessions. */
  async keys(): Promise<string[]> {
    const names = await fs.readdir(this.#path)
    return names.flatMap((name) => sessionFile.exec(name)?.[1] ?? [])
  }

  /** Makes renames and removals in the folder durable. */
  sync(): Promise<void> {
    return syncFolder(this.#path)
  }

  async #prepare(): Promise<void> {
    await this.#make()
    const names = await fs.readdir(this.#path)
    const oldest = systemClock.date() - leftoverAgeMs
    for (const name of names.filter((one) => leftover.test(one))) {
      // A leftover is harmless. The next process tries again.
      await this.#removeIfOlder(name, oldest).catch(() => {})
    }
  }

  async #make(): Promise<void> {
    try {
      const first = await fs.mkdir(this.#path, { recursive: true })
      if (first === undefined) return
      // The names of new folders must be durable too, from the uppermost down.
      for (let made = this.#path; ; made = dirname(made)) {
        await syncFolder(dirname(made))
        if (made === resolve(first) || made === dirname(made)) return
      }
    } catch (error) {
      throw hasCode(error, 'EEXIST', 'ENOTDIR') ? notAFolder() : error
    }
  }

  async #removeIfOlder(name: string, oldest: number): Promise<void> {
    const path = join(this.#path, name)
    const { mtimeMs } = await fs.stat(path)
    if (mtimeMs < oldest) await removeTree(path, this.asideOf(name.slice(0, 64)))
  }
}

/** Removes a folder. It leaves its name in one step, so no other process sees half of it. */
export async function removeTree(path: string, aside: string): Promise<void> {
  await fs.rename(path, aside)
  await fs.rm(aside, { recursive: true, force: true })
}
