import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { detachString } from '../../src/core/ids/detach-string.ts'
import { clockedRegistry } from '../support/clocked-registry.ts'
import fc from '../support/fast-check.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const entry = new URL('../../src/index.ts', import.meta.url).href
const nearCache = new URL('../../src/redis/storage/near-cache.ts', import.meta.url).href

/** The text that each id is cut from; a cookie header with a token in it is no larger. */
const headerLength = 8_000

/** Returns the bytes per session if each id is sliced from a large text; `make` makes one session. */
async function bytesPerSession(make: string, options = '{}'): Promise<number> {
  const program = `
    import { SessionRegistry } from ${JSON.stringify(entry)}
    import { NearCache } from ${JSON.stringify(nearCache)}
    const cache = new NearCache()
    const registry = new SessionRegistry({ create: () => 0, ...${options} })
    const holds = []
    const make = async (id) => { ${make} }
    const held = () => { gc(); gc(); return process.memoryUsage().heapUsed }
    const header = (index) => Buffer.from('sid=' + String(index).padStart(36, '0') + '${'; '.padEnd(headerLength, 'x')}').latin1Slice()
    const fill = async (from, to) => { for (let index = from; index < to; index += 1) await make(header(index).slice(4, 40)) }
    await fill(0, 2_000)
    const before = held()
    await fill(2_000, 4_000)
    const after = held()
    const last = String(3_999).padStart(36, '0')
    if ((registry.get(last) ?? cache.get(last)) === undefined) throw new Error('it is not found')
    console.log((after - before) / 2_000)
    process.exit()`
  const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 })
  return Number(stdout)
}

// A session took 14 308 bytes instead of 158, so that `maxSessions` did not limit memory.
describe('an id sliced from a large text', () => {
  it.each([
    ['run', 'await registry.run(id, () => 0)'],
    ['open', 'await registry.open(id)'],
    ['open that loads', 'await registry.open(id)', '{ load: async () => 1 }'],
    ['acquire', 'holds.push(await registry.acquire(id))'],
    ['set', 'registry.set(id, 1)'],
    ['replace', 'registry.replace(id, 1)'],
    ['getOrCreate with `copyIds`', 'registry.getOrCreate(id)', '{ copyIds: true }'],
    [
      'getOrCreate with `copyIds`, and a session object',
      'registry.getOrCreate(id); registry.peek(id)',
      '{ copyIds: true, archive: async () => {} }',
    ],
    ['the near-cache on Redis', 'cache.set(id, { incarnation: "", version: "", text: "" }); cache.get(id)'],
  ])(
    '%s: the session does not keep the text in memory',
    async (_what, make, options?: string) => {
      expect(await bytesPerSession(make, options)).toBeLessThan(headerLength / 2)
    },
    120_000,
  )
})

describe('a copied string', () => {
  const units = fc.array(
    fc.oneof(fc.nat(0x7f), fc.nat(0xff), fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff })),
    { maxLength: 40 },
  )

  it('equals the original in every unit: two bytes wide, with lone surrogates, sliced anywhere', () => {
    fc.assert(
      fc.property(units, fc.nat(40), (codes, from) => {
        const cut = String.fromCharCode(...codes).slice(from)
        const own = detachString(cut)

        expect(own).toBe(cut)
        expect(own.length).toBe(cut.length)
        for (let at = 0; at < cut.length; at += 1) expect(own.charCodeAt(at)).toBe(cut.charCodeAt(at))
        expect(new Map([[own, 1]]).get(cut)).toBe(1)
      }),
    )
  })

  it('as an id: is found by the original text, and by any equal one', () => {
    const { registry, events } = clockedRegistry({ copyIds: true })
    const ids = [
      'x'.repeat(12),
      'x'.repeat(13),
      '\ud83d\ude00'.repeat(8),
      `\ud800${'y'.repeat(20)}`,
      'é'.repeat(1_024),
    ]
    for (const id of ids) {
      registry.getOrCreate(id).push(id)
      expect(registry.get(Array.from(id, (unit) => unit).join(''))).toEqual([id])
      expect(registry.peek(id)?.id).toBe(id)
      expect(registry.delete(id)).toBe(true)
    }

    expect(events.take()).toHaveLength(ids.length * 2)
  })
})
