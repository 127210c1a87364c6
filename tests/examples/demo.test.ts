import { describe, expect, it, vi } from 'vitest'
import { startMeasured } from '../../examples/demo/measured-process.ts'
import type { Kind } from '../../examples/demo/measured-server.ts'
import { pictureOf } from '../../examples/demo/picture.ts'
import { plotOf, type Reading, tableOf } from '../../examples/demo/report.ts'
import { sendVisitors } from '../../examples/demo/traffic.ts'
import { Running } from './running.ts'

vi.setConfig({ testTimeout: 120_000 })

const times = { timeoutMs: 2_000, lookUpMs: 3_000 }

describe('the demo, in short', () => {
  it.each<[kind: Kind, loses: boolean, keeps: boolean]>([
    ['map', false, true],
    ['swept-map', true, false],
    ['registry', false, false],
  ])(
    'measures a server on a %s: it loses answers: %s, and keeps inactive visitors: %s',
    async (kind, loses, keeps) => {
      const server = await startMeasured(kind, times)
      try {
        const before = await server.measure()
        const traffic = { seconds: 1, visitorsPerSecond: 10, ...times }
        const { visitors, answered, failed, lost } = await sendVisitors(server.address, traffic)
        const after = await server.measure()
        expect({ visitors, answered, failed, loses: lost > 0 }).toEqual({
          visitors: 10,
          answered: 40,
          failed: 0,
          loses,
        })
        expect(after.bytes).toBeGreaterThan(1e6)
        expect(after.cpuMs).toBeGreaterThan(before.cpuMs)
        await vi.waitFor(async () => {
          const left = await server.measure()
          expect(left.sessions).toBe(keeps ? 10 : 0)
        }, 20_000)
      } finally {
        await server.stop()
      }
    },
  )

  it('as a whole: prints into a pipe without colours, and ends with the server that is killed', async () => {
    const running = new Running('examples/demo/main.ts', {}, { args: ['1'] })
    const exitCode = await running.ended()
    const printed = running.lines.join('\n')

    expect(printed).not.toContain('\u001b')
    expect(printed).toMatch(/^Map +160 +0 +\d+ +40 /m)
    expect(printed).toMatch(/^Swept Map +160 +\d+ +\d+ +0 /m)
    expect(printed).toMatch(/^Registry +160 +0 +\d+ +0 /m)
    expect(running.lines.at(-1)).toMatch(
      /^started again: ([1-9]\d*) of \1 answered messages found, 0 missing$/,
    )
    expect(exitCode).toBe(0)
  })
})

describe('the report of the demo', () => {
  const at = (sessions: number, megabytes: number, cpuMs: number) => ({
    sessions,
    bytes: megabytes * 1e6,
    cpuMs,
  })
  const reading = (name: string, lost: number, left: number): Reading => ({
    name,
    before: at(0, 10, 100),
    readings: [at(50, 20, 200), at(100, 30, 300)],
    left: at(left, 10 + left / 5, 300),
    visitors: 100,
    answered: 400,
    failed: 0,
    lost,
  })
  const all = [reading('Map', 0, 100), reading('Swept Map', 60, 0), reading('Registry', 0, 5)]

  it('summarises the measurements', () => {
    expect(tableOf(all)).toBe(
      [
        '           answers  of them lost  sessions at most  after all left  MB at most  after all left  CPU ms/request',
        'Map            400             0               100             100          30              30            0.50',
        'Swept Map      400            60               100               0          30              10            0.50',
        'Registry       400             0               100               5          30              11            0.50',
      ].join('\n'),
    )
  })

  it('draws memory over time, one letter per server, the last one on top', () => {
    expect(plotOf(all, { height: 3 })).toBe(
      [
        '    30 |        RRRRMMMM',
        '    20 |    RRRR',
        '    10 |RRRR        RRRR',
        '     0 |',
        '',
        '       M Map   S Swept Map   R Registry   (on the right: after all have left)',
      ].join('\n'),
    )
  })

  it('has colours only if requested', () => {
    expect(plotOf(all)).not.toContain('\u001b')
    expect(plotOf(all, { isColored: true })).toContain('\u001b[34mR\u001b[0m')
  })

  it('draws a picture: a line per server, its label beside its end, and what it lost', () => {
    const picture = pictureOf(all)
    const lines = Array.from(picture.matchAll(/<polyline points="([^"]+)"/g), ([, points = '']) =>
      points.split(' ').map((point) => point.split(',').map(Number)),
    )
    const labels = Array.from(picture.matchAll(/y="([\d.]+)" fill="#\w+" font-weight="600">([\w ]+)</g))

    expect(lines.map(({ length }) => length)).toEqual([4, 4, 4])
    expect(lines.map((points) => points[0])).toEqual([lines[0]?.[0], lines[0]?.[0], lines[0]?.[0]])
    // 30 MB are the most, so at the top; 10 and 11 MB are further down.
    expect(lines.map((points) => points.at(-1)?.[1])).toEqual([56, 226.7, 218.1])
    expect(picture).toContain('60 of 400 answers lost')
    expect(labels.map(([, , name]) => name)).toEqual(['Map', 'Swept Map', 'Registry'])
    const heights = labels.map(([, at]) => Number(at)).toSorted((a, b) => a - b)
    expect(
      Math.min(...heights.slice(1).map((at, place) => at - (heights[place] ?? 0))),
    ).toBeGreaterThanOrEqual(38)
  })
})
