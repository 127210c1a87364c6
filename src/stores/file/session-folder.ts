import { randomUUID } from 'node:crypto'
import fs from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SessionRegistryError } from '../../core/errors/session-registry-error.ts'
import { systemClock } from '../../core/time/clock.ts'
import { flushFolder } from './flush-folder.ts'
import { hasCode } from './transient.ts'

const sessionFile = /^([0-9a-f]{64})\.json$/
/** What a write makes aside, and the lock that it becomes. */
const leftover = /^[0-9a-f]{64}\.(?:lock|[0-9a-f-]{36}\.tmp)$/

/** No write takes that long. One that does finds what it has made removed, and makes it again. */
const leftoverAgeMs = 3_600_000

/** The error of a path that leads to something else than a folder. */
export function notAFolder(): SessionRegistryError {
  return new SessionRegistryError(
    'ERR_SESSION_OPTION_INVALID',
    'Expected `folder` to be the path of a folder, got the path of something else',
  )
}

/**
 * The names in the folder of a file store. A session of key `k` is `k.json`; beside it there may be `k.lock`
 * and `k.*.tmp`.
 */
export class SessionFolder {
  readonly #path: string
  #ready: Promise<void> | undefined

  constructor(path: string) {
    // A later `process.chdir` must not move the sessions.
    this.#path = resolve(path)
  }

  /**
   * Makes the folder where there is none, and clears what dead processes have left in it. Once, or until it
   * succeeds.
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

  /** Has the next call look for the folder again: it was removed meanwhile. */
  forget(): void {
    this.#ready = undefined
  }

  fileOf(key: string): string {
    return join(this.#path, `${key}.json`)
  }

  lockOf(key: string): string {
    return join(this.#path, `${key}.lock`)
  }

  /** Returns a new name for what is made aside. */
  asideOf(key: string): string {
    return join(this.#path, `${key}.${randomUUID()}.tmp`)
  }

  /** Returns the keys of all sessions that are stored. */
  async keys(): Promise<string[]> {
    const names = await fs.readdir(this.#path)
    return names.flatMap((name) => sessionFile.exec(name)?.[1] ?? [])
  }

  /** Makes what was renamed or removed here durable. */
  flush(): Promise<void> {
    return flushFolder(this.#path)
  }

  async #prepare(): Promise<void> {
    await this.#make()
    const names = await fs.readdir(this.#path)
    const oldest = systemClock.date() - leftoverAgeMs
    for (const name of names.filter((one) => leftover.test(one))) {
      // What cannot be removed is in nobody's way, and is tried again by the next process.
      await this.#removeIfOlder(name, oldest).catch(() => {})
    }
  }

  async #make(): Promise<void> {
    try {
      const first = await fs.mkdir(this.#path, { recursive: true })
      if (first === undefined) return
      // The names of new folders have to be durable too, from the uppermost down.
      for (let made = this.#path; ; made = dirname(made)) {
        await flushFolder(dirname(made))
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

/**
 * Removes a folder in one step from under its name, so that nobody sees half of it, and then what was in it.
 */
export async function removeTree(path: string, aside: string): Promise<void> {
  await fs.rename(path, aside)
  await fs.rm(aside, { recursive: true, force: true })
}
