import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'

// Each test is a process, which a busy machine delays. A fake clock cannot show whether a process exits.
vi.setConfig({ testTimeout: 60_000 })

const root = fileURLToPath(new URL('../../..', import.meta.url))
const entry = new URL('../../../src/index.ts', import.meta.url).href

/** Returns what a program prints. A program that does not exit, or exits with a code, fails. */
async function printedBy(program: string): Promise<string[]> {
  const text = `
    import { setTimeout as sleep } from 'node:timers/promises'
    import { SessionRegistry } from ${JSON.stringify(entry)}
    const never = () => new Promise(() => {})
    ${program}`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', text]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 30_000 })
  return stdout.trim().split('\n')
}

/**
 * Source of a registry whose only session has expired. The first attempts of its archive are `tries`, the
 * others succeed.
 */
const withOneOver = (tries: string) => `
  const tries = [${tries}]
  const registry = new SessionRegistry({
    timeoutMs: 1, archiveTimeoutMs: 200, create: () => 'new', archive: () => tries.shift()?.() ?? Promise.resolve(),
  })
  registry.getOrCreate('a')
  await sleep(5)
  registry.sweep()`

const fails = "() => Promise.reject(new Error('down'))"

describe('a waiting call keeps its process alive', () => {
  it('until an awaited `settled()` fulfils, through the pauses between archive attempts', async () => {
    const lines = await printedBy(`${withOneOver(`${fails}, ${fails}`)}
      await registry.settled()
      console.log('settled', registry.stats().archiving)`)

    expect(lines).toEqual(['settled 0'])
  })

  it('until `loadTimeoutMs` rejects a call whose load never settles', async () => {
    const lines = await printedBy(`
      const registry = new SessionRegistry({ load: never, loadTimeoutMs: 50 })
      await registry.open('a').catch((error) => console.log(error.code))`)

    expect(lines).toEqual(['ERR_SESSION_LOAD_TIMEOUT'])
  })

  it('until `close` has ended the last of many sessions', async () => {
    const lines = await printedBy(`
      const registry = new SessionRegistry()
      for (let index = 0; index < 200_000; index += 1) registry.set(String(index), index)
      console.log((await registry.close()).ended)`)

    expect(lines).toEqual(['200000'])
  })
})

describe('a process exits', () => {
  it.each([
    ['with a turn and a hold that never end', 'void registry.run("a", never); registry.hold("a")'],
    ['with a session that waits for its time', 'registry.getOrCreate("a")'],
  ])('%s', async (_, use) => {
    const program = `const registry = new SessionRegistry({ create: () => 1 }); ${use}; console.log('bye')`

    expect(await printedBy(program)).toEqual(['bye'])
  })

  it.each([
    ['an archive that hangs', 'never'],
    ['the pause after a failed one', fails],
  ])('during %s', async (_, first) => {
    const program = `${withOneOver(first)}; process.on('exit', () => console.log(registry.stats().archiving))`

    expect(await printedBy(program)).toEqual(['1'])
  })

  it('once the registry has closed', async () => {
    const program = `
      const registry = new SessionRegistry({ create: () => 1, archive: async () => {} })
      registry.getOrCreate('a')
      console.log(JSON.stringify(await registry.close()))`

    expect(await printedBy(program)).toEqual(['{"ended":1,"archived":1,"failed":[]}'])
  })
})

describe('a process stays alive', () => {
  it.each([
    ['the pauses of the archive', `${fails}, ${fails}`],
    ['an archive that hangs', 'never'],
  ])('for an `open` that waits for %s', async (_, first) => {
    expect(await printedBy(`${withOneOver(first)}; console.log(await registry.open('a'))`)).toEqual(['new'])
  })

  it('for an `open` that waits for capacity', async () => {
    const program = `
      const tries = [${fails}]
      const archive = () => tries.shift()?.() ?? Promise.resolve()
      const registry = new SessionRegistry({ maxSessions: 1, create: (id) => id, archive })
      registry.getOrCreate('a')
      console.log(await registry.open('b'))`

    expect(await printedBy(program)).toEqual(['b'])
  })

  it('for `close`: until the deadline of its turns, in their grace, and then until that of its archives', async () => {
    const program = `
      const registry = new SessionRegistry({ create: () => 1, archive: never, turnGraceMs: 100 })
      registry.run('a', never).catch(({ code }) => console.log(code))
      const { ended, archived, failed } = await registry.close({ deadlineMs: 100 })
      console.log(ended, archived, failed.length)`

    expect(await printedBy(program)).toEqual(['ERR_SESSION_REGISTRY_CLOSED', '1 0 1'])
  })

  it('for `close` without a deadline, although nothing else keeps it alive', async () => {
    const program = `
      const registry = new SessionRegistry({ create: () => 1, maxTurnMs: Infinity })
      void registry.run('a', () => sleep(100, undefined, { ref: false }))
      console.log((await registry.close({ deadlineMs: Infinity })).ended)`

    expect(await printedBy(program)).toEqual(['1'])
  })
})
