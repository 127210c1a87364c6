import { describe, expect, it, vi } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { Running } from './running.ts'

// Each is a process that compiles itself first; the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

async function linesOf(path: string): Promise<string[]> {
  const running = new Running(path)
  const exitCode = await running.ended()
  expect(exitCode, running.lines.join('\n')).toBe(0)
  return running.lines
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('examples/process-pool.ts', () => {
  it('has one process a session, at most two at once, and leaves none behind', async () => {
    const lines = await linesOf('examples/process-pool.ts')
    const alive = new Map<string, string>()
    const stops: string[] = []
    let most = 0
    for (const line of lines) {
      const [, started, id] = /^started (\d+) for (\w+)$/.exec(line) ?? []
      const [, stopped, reason] = /^stopped (\d+): (\w+)$/.exec(line) ?? []
      if (started !== undefined && id !== undefined) alive.set(started, id)
      most = Math.max(most, alive.size)
      if (stopped === undefined) continue
      stops.push(`${alive.get(stopped)} ${reason}`)
      alive.delete(stopped)
    }

    expect(lines).toContain('[ 1, 2, 3 ]')
    expect(stops).toEqual(['ada capacity', 'ben idle', 'cleo idle', 'ada closed'])
    expect(most).toBe(2)
    expect(alive.size).toBe(0)
    const pids = lines.flatMap((line) => /^started (\d+)/.exec(line)?.[1] ?? []).map(Number)
    expect(pids).toHaveLength(4)
    expect(pids.filter(isAlive)).toEqual([])
    expect(lines.filter((line) => !/^(started|stopped) /.test(line))).toEqual([
      '[ 1, 2, 3 ]',
      '1',
      '1',
      'all processes were idle, and are stopped',
      '1',
    ])
  })

  it('leaves none behind when it is killed', async () => {
    const running = new Running('examples/process-pool.ts')
    const [, pid = ''] = await running.printed(/started (\d+) for ben/)
    expect(isAlive(Number(pid))).toBe(true)
    running.child.kill('SIGKILL')
    await running.ended()

    await expect.poll(() => isAlive(Number(pid)), { timeout: 30_000 }).toBe(false)
  })
})

describe('examples/presence.ts', () => {
  it('is online with any tab, and offline some time after the last one, or at once by logging out', async () => {
    expect(await linesOf('examples/presence.ts')).toEqual([
      'ada is online',
      'one tab is left',
      'she has only reloaded the page',
      'ada is offline',
      'ada is online',
      'ada is offline',
      'and logged out in each tab',
    ])
  })
})

describe.skipIf(!findChromium())('examples/browser-pages.ts', () => {
  it('has one page a session, at most two at once, and leaves none open', async () => {
    const lines = await linesOf('examples/browser-pages.ts')

    expect(lines).toEqual([
      'ada has one;two;',
      'ben has three;',
      'ada: capacity, 1 open',
      'cleo has four;',
      'ben: idle, 1 open',
      'cleo: idle, 0 open',
      'all were idle, 0 open',
      'ada has five;',
      'ada: closed, 0 open',
    ])
  })
})
