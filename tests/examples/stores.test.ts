import { join } from 'node:path'
import { fileStore } from 'session-registry/stores/file'
import { describe, expect, it, vi } from 'vitest'
import { testFolder } from '../support/test-folder.ts'
import { Running } from './running.ts'

// Each starts processes that compile themselves first; the machine may be busy.
vi.setConfig({ testTimeout: 90_000 })

describe('examples/survive-restart.ts', () => {
  it('goes on counting after it was killed', async () => {
    const cwd = testFolder()
    const printed: string[] = []
    for (let start = 1; start <= 3; start += 1) {
      const running = new Running('examples/survive-restart.ts', {}, { cwd })
      expect(await running.ended()).toBeNull()
      expect(running.child.signalCode).toBe('SIGKILL')
      printed.push(...running.lines)
    }

    expect(printed).toEqual(['message 1', 'message 2', 'message 3'])
  })
})

describe('an example that keeps its sessions in a folder', () => {
  it('goes on from what is stored: examples/chat.ts', async () => {
    const cwd = testFolder()
    const printed: string[] = []
    for (let start = 1; start <= 2; start += 1) {
      const running = new Running('examples/chat.ts', {}, { cwd })
      expect(await running.ended()).toBe(0)
      printed.push(...running.lines)
    }

    expect(printed).toEqual(['Message 1: hello', 'Message 2: hello'])
  })

  it('deletes what was idle, in the folder too: examples/delete-idle.ts', async () => {
    const cwd = testFolder()
    const running = new Running('examples/delete-idle.ts', {}, { cwd })

    expect(await running.ended()).toBe(0)
    expect(running.lines).toEqual(['undefined'])
    const { signal } = new AbortController()
    expect(await fileStore(join(cwd, 'sessions')).get('ada', { signal })).toBe(undefined)
  })

  it('accepts all of its options: examples/options.ts', async () => {
    const running = new Running('examples/options.ts', {}, { cwd: testFolder() })

    expect(await running.ended()).toBe(0)
    expect(running.lines.at(-1)).toBe('1')
  })
})

describe('examples/kill-a-server.ts', () => {
  it('finds every answered message after the server was killed', async () => {
    const running = new Running('examples/kill-a-server.ts')

    expect(await running.ended()).toBe(0)
    expect(running.lines).toEqual([
      expect.stringMatching(/^[1-9]\d* messages of 100 visitors answered; SIGKILL during [1-9]\d* turns$/),
      expect.stringMatching(/^started again: ([1-9]\d*) of \1 answered messages found, 0 missing$/),
    ])
  })

  it('fails if messages are missing: those of a server that saves at the end of sessions', async () => {
    const running = new Running('examples/kill-a-server.ts', { SAVE: 'end' })

    expect(await running.ended()).toBe(1)
    expect(running.lines.at(-1)).toMatch(/ [1-9]\d* missing$/)
  })
})
