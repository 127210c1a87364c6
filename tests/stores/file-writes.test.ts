import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { fileOf, mocked, openFiles } from '../support/file-stores.ts'
import { sessionError } from '../support/session-error.ts'
import { context, replacing, storedSession } from '../support/store-session.ts'

describe('a file store: what is not a miss', () => {
  it.each(['', '{"id":"ada"', '"text"', 'null', '{}', '\0'.repeat(400)])(
    'rejects where there is half a session: %j',
    async (text) => {
      const files = openFiles()
      await files.store.put(storedSession({ owner: 'one' }), replacing(null))
      writeFileSync(fileOf(files), text)

      await expect(files.store.get('ada', context())).rejects.toThrow(/is damaged/)
      await expect(files.store.put(storedSession(), replacing(null))).rejects.toThrow(/is damaged/)
      await expect(files.store.owned?.('one')).rejects.toThrow(/is damaged/)
      expect(await files.store.prune?.(Number.POSITIVE_INFINITY, 10)).toEqual([])
      expect(readFileSync(fileOf(files), 'utf8')).toBe(text)
      expect(await files.store.put(storedSession(), replacing(undefined))).toBe(true)
      expect(readdirSync(files.folder)).toHaveLength(1)
    },
  )

  it('rejects where a session was cut off anywhere', async () => {
    const files = openFiles()
    await files.store.put(
      storedSession({ owner: 'one', timeoutMs: 5, text: '{"é":"👩‍🚀"}' }),
      replacing(null),
    )
    const whole = readFileSync(fileOf(files))
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(fileOf(files), whole.subarray(0, length))
      await expect(files.store.get('ada', context()), `${length} bytes`).rejects.toThrow(/is damaged/)
    }
  })

  it('rejects if the file is that of another session, without its contents in the message', async () => {
    const files = openFiles()
    await files.store.put(storedSession({ id: 'bob' }), replacing(null))
    await fs.rename(fileOf(files, 'bob'), fileOf(files))
    const failure = await files.store.get('ada', context()).catch((error: Error) => error.message)

    expect(failure).toMatch(/has another id/)
    expect(failure).not.toMatch(/bob|hello/)
  })

  it('rejects where there is a folder in the place of the file', async () => {
    const files = openFiles()
    mkdirSync(fileOf(files), { recursive: true })

    await expect(files.store.get('ada', context())).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(files.store.put(storedSession(), replacing(null))).rejects.toMatchObject({ code: 'EISDIR' })
  })

  it.each(['EACCES', 'EMFILE', 'EIO', 'ENOTDIR'])('rejects where reading fails: %s', async (code) => {
    const { store } = openFiles()
    await store.put(storedSession(), replacing(null))
    using _ = mocked('readFile', () => Promise.reject(Object.assign(new Error(code), { code })))

    await expect(store.get('ada', context())).rejects.toMatchObject({ code })
    await expect(store.put(storedSession(), replacing('some'))).rejects.toMatchObject({ code })
  })
})

describe('a file store: a write', () => {
  it('flushes the new file before it is renamed, and the folder after that', async () => {
    const { folder, store } = openFiles()
    await store.get('ada', context())
    const steps: string[] = []
    const { open, rename } = fs
    using _ = mocked('open', async (...args: Parameters<typeof open>) => {
      const handle = await open(...args)
      const sync = handle.sync.bind(handle)
      handle.sync = () => {
        steps.push(args[0] === folder ? 'flush folder' : 'flush file')
        return sync()
      }
      return handle
    })
    using __ = mocked('rename', async (from: string, to: string) => {
      if (/\.json$/.test(to)) steps.push('rename')
      if (/\.json$/.test(from)) steps.push('remove')
      await rename(from, to)
    })
    await store.put(storedSession(), replacing(null))
    await store.delete('ada', context())

    expect(steps).toEqual(['flush file', 'rename', 'flush folder', 'remove', 'flush folder'])
  })

  it.each(['EPERM', 'EACCES', 'EBUSY'])('repeats a rename that fails for a moment: %s', async (code) => {
    const { store } = openFiles()
    const { rename } = fs
    let failures = 0
    using _ = mocked('rename', async (from: string, to: string) => {
      if (/\.json$/.test(to) && failures++ < 3) throw Object.assign(new Error(code), { code })
      await rename(from, to)
    })
    const session = storedSession()

    expect(await store.put(session, replacing(null))).toBe(true)
    expect(await store.get('ada', context())).toEqual(session)
    expect(failures).toBe(4)
  })

  it('rejects where a rename keeps failing, and leaves what was there', async () => {
    const { folder, store } = openFiles()
    const session = storedSession()
    await store.put(session, replacing(null))
    {
      const { rename } = fs
      using _ = mocked('rename', async (from: string, to: string) => {
        if (/\.json$/.test(to)) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' })
        await rename(from, to)
      })
      await expect(store.put(storedSession(), replacing(undefined))).rejects.toMatchObject({ code: 'EBUSY' })
    }

    expect(await store.get('ada', context())).toEqual(session)
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it.each(['EPERM', 'EACCES'])('rejects soon where it may not write into the folder: %s', async (code) => {
    const { store } = openFiles()
    await store.get('ada', context())
    using _ = mocked('rename', () => Promise.reject(Object.assign(new Error(code), { code })))

    await expect(store.put(storedSession(), replacing(null))).rejects.toMatchObject({ code })
  })

  it('rejects where the disk is full, and leaves what was there and nothing else', async () => {
    const { folder, store } = openFiles()
    const session = storedSession()
    await store.put(session, replacing(null))
    const { open } = fs
    {
      using _ = mocked('open', async (...args: Parameters<typeof open>) => {
        const handle = await open(...args)
        if (args[1] !== 'wx') return handle
        const write = handle.writeFile.bind(handle)
        handle.writeFile = async (data) => {
          await write(String(data).slice(0, 20))
          throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        }
        return handle
      })
      await expect(store.put(storedSession(), replacing(undefined))).rejects.toMatchObject({ code: 'ENOSPC' })
    }

    expect(await store.get('ada', context())).toEqual(session)
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('rejects where the folder cannot be flushed', async () => {
    const { folder, store } = openFiles()
    await store.get('ada', context())
    const { open } = fs
    using _ = mocked('open', async (...args: Parameters<typeof open>) => {
      const handle = await open(...args)
      if (args[0] === folder)
        handle.sync = () => Promise.reject(Object.assign(new Error('bad disk'), { code: 'EIO' }))
      return handle
    })

    await expect(store.put(storedSession(), replacing(null))).rejects.toMatchObject({ code: 'EIO' })
    await expect(store.delete('ada', context())).rejects.toMatchObject({ code: 'EIO' })
  })

  it('goes on where a folder cannot be opened, as on Windows', async () => {
    const { folder, store } = openFiles()
    await store.get('ada', context())
    const { open } = fs
    using _ = mocked('open', async (...args: Parameters<typeof open>) => {
      if (args[0] === folder) throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
      return open(...args)
    })

    expect(await store.put(storedSession(), replacing(null))).toBe(true)
  })

  it('refuses a text that other stores could not keep', async () => {
    const { folder, store } = openFiles()
    await store.get('ada', context())
    for (const text of ['a\0', '\ud800', 'a\udc00b']) {
      await expect(store.put(storedSession({ text }), replacing(null))).rejects.toThrow(
        sessionError('ERR_SESSION_VALUE_INVALID'),
      )
    }
    for (const moment of [Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(store.put(storedSession({ lastActiveAt: moment }), replacing(null))).rejects.toThrow(
        sessionError('ERR_SESSION_VALUE_INVALID'),
      )
    }
    expect(readdirSync(folder)).toEqual([])
  })
})
