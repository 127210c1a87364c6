import { describe, expect, it, vi } from 'vitest'
import { startMeasured } from '../../examples/demo/measured-process.ts'
import { plotOf, type Reading, tableOf } from '../../examples/demo/report.ts'
import { sendVisitors } from '../../examples/demo/traffic.ts'

vi.setConfig({ testTimeout: 90_000 })

const seconds = 1

describe('the demo, in short', () => {
  it.each([
    ['map', true],
    ['registry', false],
  ] as const)('measures a server on a %s: it keeps who has left: %s', async (kind, keeps) => {
    const server = await startMeasured(kind, 200)
    try {
      const { answered, visitors, failed } = await sendVisitors(server.address, seconds)
      const { sessions, heapBytes } = await server.measure()
      expect(failed).toBe(0)
      expect(answered).toBeGreaterThan(0)
      expect(visitors).toBeGreaterThan(0)
      expect(heapBytes).toBeGreaterThan(1e6)
      expect(sessions).toBeGreaterThanOrEqual(0)
      await vi.waitFor(async () => {
        const left = await server.measure()
        expect(left.sessions > 0).toBe(keeps)
      }, 20_000)
    } finally {
      await server.stop()
    }
  })

  it('draws and sums up what it has seen', () => {
    const at = (sessions: number, megabytes: number) => ({ sessions, heapBytes: megabytes * 1e6 })
    const reading = (name: string, left: number): Reading => ({
      name,
      seconds: 2,
      before: at(0, 10),
      readings: [at(50, 20), at(100, 30)],
      left: at(left, 10 + left / 5),
      answered: 400,
      visitors: 100,
      failed: 0,
    })
    const [onMap, onRegistry] = [reading('Map', 100), reading('SessionRegistry', 0)]
    const lines = tableOf([onMap, onRegistry]).split('\n')

    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ['visitors', 'requests/s', 'sessions: most', 'after all left', 'heap MB: most', 'after all left'],
      ['Map', '100', '200', '100', '100', '30', '30'],
      ['SessionRegistry', '100', '200', '100', '0', '30', '10'],
    ])
    expect(plotOf(onMap, onRegistry)).toMatch(/30 ┼[\s\S]+SessionRegistry/)
  })
})
