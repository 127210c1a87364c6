import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../support/test-folder.ts'

const idOf = (number: number): string => createHash('sha256').update(`${number}`).digest('hex')

describe('heap snapshot', () => {
  it('contains no id of a session that has ended, but those of live ones', async () => {
    const script = fileURLToPath(new URL('../support/ended-sessions.ts', import.meta.url))
    const file = join(testFolder(), 'heap.heapsnapshot')
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, file])
    const { ended, live, sessions } = JSON.parse(stdout) as {
      ended: number
      live: number[]
      sessions: number[]
    }
    expect(sessions).toEqual([1, 1, 1, 1, 1, 1])
    const inHeap = new Set((await readFile(file, 'latin1')).match(/[0-9a-f]{64}/g))
    expect(live.filter((number) => !inHeap.has(idOf(number)))).toEqual([])
    const left = Array.from({ length: ended }, (_, number) => number).filter((number) =>
      inHeap.has(idOf(number)),
    )
    expect(left).toEqual([])
    expect(ended).toBeGreaterThan(1_000)
  }, 60_000)
})
