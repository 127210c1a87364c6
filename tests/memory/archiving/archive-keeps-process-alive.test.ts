import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const source = (path: string) => new URL(`../../../src/${path}`, import.meta.url).href

/**
 * Runs a module in a process that has nothing else to do, and returns its output. A process that
 * exits too early fails.
 */
async function printed(body: string): Promise<string> {
  const imports = `
    import { SessionRegistry } from '${source('index.ts')}'
    import { ManualClock } from '${source('testing/index.ts')}'
    const clock = new ManualClock()
  `
  const args = ['--import', 'tsx', '--input-type=module', '-e', imports + body]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return stdout.trim()
}

it('archive: finishes in a process that has nothing else to do', { timeout: 30_000 }, async () => {
  const output = await printed(`
    // Each archive takes one millisecond of the clock, so that the work takes many time slices.
    const archive = async () => clock.advance(1)
    const registry = new SessionRegistry({ clock, timeoutMs: 1_000, archive })
    for (let index = 0; index < 100; index += 1) registry.set('id-' + index, index)
    clock.advance(1_000)
    registry.sweep()
    await new Promise((resolve) => {
      registry.on('ended', () => registry.stats().archiving === 0 && resolve())
    })
    console.log(registry.stats().expired)
  `)

  expect(output).toBe('100')
})
