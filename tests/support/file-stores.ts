import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import type { SessionStore } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'
import { vi } from 'vitest'
import { testFolder } from './test-folder.ts'

/** A file store and its folder. */
export interface OpenedFiles {
  readonly folder: string
  readonly store: SessionStore
}

/** The folder of each store that was opened here. */
export const folders = new WeakMap<SessionStore, string>()

/** Opens a file store in a folder that is not there yet. */
export function openFiles(folder = join(testFolder(), 'sessions')): OpenedFiles {
  const store = fileStore(folder)
  folders.set(store, folder)
  return { folder, store }
}

/** The name of a session's file, without its suffix. */
export const keyOf = (id: string) => createHash('sha256').update(id, 'utf16le').digest('hex')
/** The path of a session's file. */
export const fileOf = ({ folder }: OpenedFiles, id = 'ada') => join(folder, `${keyOf(id)}.json`)

/** A function of the file system that is another one until the end of the block. */
export function mocked<K extends 'readdir' | 'readFile' | 'rename' | 'open'>(
  name: K,
  use: (...args: never[]) => unknown,
): Disposable {
  const spy = vi.spyOn(fs, name).mockImplementation(use as never)
  return { [Symbol.dispose]: () => spy.mockRestore() }
}
