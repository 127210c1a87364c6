import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import { fileStore } from 'session-registry/stores/file'
import { describe, expect, it, vi } from 'vitest'
import { fileOf, folders, keyOf, mocked, type OpenedFiles, openFiles } from '../support/file-stores.ts'
import { sessionError } from '../support/session-error.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'
import { testFolder } from '../support/test-folder.ts'
import { describeStore, takingTurns } from './describe-store.ts'

describeStore('files', () => openFiles().store, {
  fail(store) {
    const folder = folders.get(store) ?? ''
    rmSync(folder, { recursive: true, force: true })
    writeFileSync(folder, 'no folder any more')
  },
})

describeStore('several stores in one folder', () => {
  const { folder, store } = openFiles()
  return takingTurns([store, fileStore(folder), fileStore(folder)])
})

describe('a file store: its folder', () => {
  it('has one file a session, named by a hash over UTF-16, and nothing else', async () => {
    const files = openFiles()
    await files.store.put(storedSession(), replacing(undefined))
    await files.store.put(storedSession({ id: 'bob', timeoutMs: Number.POSITIVE_INFINITY }), replacing(null))
    await files.store.put(storedSession({ id: 'bob' }), replacing('another'))
    await files.store.put(storedSession({ id: 'cy' }), replacing(undefined))
    await files.store.delete('cy', context())
    await files.store.delete('nobody', context())

    expect(readdirSync(files.folder).toSorted()).toEqual(
      [`${keyOf('ada')}.json`, `${keyOf('bob')}.json`].toSorted(),
    )
    expect(JSON.parse(readFileSync(fileOf(files, 'bob'), 'utf8'))).toMatchObject({
      id: 'bob',
      timeoutMs: 'Infinity',
    })
  })

  it('is made with those above it at the first use, not before', async () => {
    const folder = join(testFolder(), 'a', 'b', 'c')
    const { store } = openFiles(folder)
    expect(() => readdirSync(folder)).toThrow('ENOENT')
    await store.put(storedSession(), replacing(null))

    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('may be removed while it is in use: the next write but one makes it again', async () => {
    const { folder, store } = openFiles()
    await store.put(storedSession(), replacing(null))
    rmSync(folder, { recursive: true })

    expect(await store.get('ada', context())).toBeUndefined()
    await expect(store.put(storedSession(), replacing(null))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await store.put(storedSession(), replacing(null))).toBe(true)
  })

  it('does not move with the working directory', async () => {
    const home = testFolder()
    const cwd = vi.spyOn(process, 'cwd').mockReturnValue(home)
    const store = fileStore('sessions')
    cwd.mockRestore()
    await store.put(storedSession(), replacing(null))

    expect(readdirSync(join(home, 'sessions'))).toHaveLength(1)
  })

  it.each(['', undefined, null, 7, {}])('is refused if it is no path: %j', (path) => {
    expect(() => fileStore(path as string)).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
  })

  it('is refused at once if there is a file of that name', () => {
    const path = join(testFolder(), 'file')
    writeFileSync(path, '')

    expect(() => fileStore(path)).toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
    expect(() => fileStore(path)).toThrow(/`folder`.* a folder, got the path of something else/)
  })

  it.each(['file', 'file/below'])(
    'is refused at the first use if there is a file by then: %s',
    async (name) => {
      const home = testFolder()
      const store = fileStore(join(home, name))
      writeFileSync(join(home, 'file'), '')

      for (const call of [
        store.get('ada', context()),
        store.put(storedSession(), replacing(null)),
        store.delete('ada', context()),
      ]) {
        await expect(call).rejects.toThrow(sessionError('ERR_SESSION_OPTION_INVALID'))
      }
    },
  )
})

describe('a file store: what was left behind', () => {
  const day = 24 * 60 * 60 * 1_000

  function leftBehind({ folder }: OpenedFiles, name: string, ageMs: number): string {
    const path = join(folder, `${keyOf('ada')}.${name}`)
    mkdirSync(join(path, 'token'), { recursive: true })
    const at = (Date.now() - ageMs) / 1_000
    utimesSync(path, at, at)
    return path
  }

  it('is cleared at the first use if it is old', async () => {
    const files = openFiles()
    leftBehind(files, '0b3c8c1e-5b0e-4d6a-9a43-6f2f0a3b7c11.tmp', day)
    leftBehind(files, 'lock', day)
    await files.store.get('ada', context())

    expect(readdirSync(files.folder)).toEqual([])
  })

  it('is left alone if it is young, or if it is nothing of this store', async () => {
    const files = openFiles()
    leftBehind(files, '0b3c8c1e-5b0e-4d6a-9a43-6f2f0a3b7c11.tmp', 1_000)
    leftBehind(files, 'lock', 1_000)
    leftBehind(files, 'tmp', day)
    await files.store.get('ada', context())

    expect(readdirSync(files.folder)).toHaveLength(3)
  })
})

describe('a file store: pruning', () => {
  it('looks through the folder once for all batches, and once more at the end', async () => {
    const { store } = openFiles()
    for (let n = 0; n < 6; n += 1)
      await store.put(storedSession({ id: `visitor ${n}`, lastActiveAt: n }), replacing(null))
    const { readdir } = fs
    let looks = 0
    using _ = mocked('readdir', (path: string) => {
      if (!path.endsWith('.lock')) looks += 1
      return readdir(path)
    })

    expect(await store.prune?.(1_000, 2)).toEqual(['visitor 0', 'visitor 1'])
    expect(await store.prune?.(1_000, 2)).toEqual(['visitor 2', 'visitor 3'])
    expect(await store.prune?.(1_000, 2)).toEqual(['visitor 4', 'visitor 5'])
    expect(looks).toBe(1)
    await store.put(storedSession({ lastActiveAt: 7 }), replacing(null))
    expect(await store.prune?.(1_000, 2)).toEqual(['ada'])
    expect(looks).toBe(2)
  })

  it('uses the time in the file: a modification time that is too early prunes nothing', async () => {
    const files = openFiles()
    const session = storedSession({ lastActiveAt: 5_000 })
    await files.store.put(session, replacing(null))
    utimesSync(fileOf(files), 0, 0)

    expect(await files.store.prune?.(5_000, 10)).toEqual([])
    expect(await files.store.get('ada', context())).toEqual(session)
  })
})
