import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type BuildResult, build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ConsumerProject } from './consumer-project.ts'

const execute = promisify(execFile)

// Each test bundles, and starts a process; the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

let project: ConsumerProject
/** A folder with no `node_modules` in it or above it. */
let bare = ''

beforeAll(async () => {
  project = await ConsumerProject.create()
  bare = await realpath(await mkdtemp(join(tmpdir(), 'session-registry-bundle-')))
}, 180_000)

afterAll(async () => {
  await project?.remove()
  await rm(bare, { recursive: true, force: true })
})

type Format = 'cjs' | 'esm'

interface BundleOptions {
  readonly format: Format
  readonly external?: readonly string[]
  readonly folder: string
  readonly file?: string
}

/**
 * Bundles a program that imports the packed package, as its user would, and returns the path of the bundle.
 */
async function bundle(
  program: string,
  { format, external = [], folder, file = 'program.mjs' }: BundleOptions,
): Promise<string> {
  await project.write(file, program)
  const outfile = join(folder, `bundle.${format === 'cjs' ? 'cjs' : 'mjs'}`)
  const { warnings }: BuildResult = await build({
    absWorkingDir: project.folder,
    entryPoints: [file],
    bundle: true,
    platform: 'node',
    format,
    external: [...external],
    outfile,
    logLevel: 'silent',
    // What everyone adds who bundles CommonJS packages, such as pino, as ESM.
    banner: { js: format === 'esm' ? importedRequire : '' },
  })
  expect(warnings).toEqual([])
  return outfile
}

const importedRequire = `import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url)`

async function linesOf(path: string): Promise<string[]> {
  const { stdout } = await execute(process.execPath, [path], { timeout: 20_000 })
  return stdout.trim().split('\n')
}

const logging = `
  import { SessionRegistry } from 'session-registry'
  const registry = new SessionRegistry({ create: () => [], logger: true, logIds: 'plain' })
  registry.getOrCreate('ada')`

const refused = `
  import { SessionRegistry } from 'session-registry'
  try {
    new SessionRegistry({ logger: true })
  } catch ({ code, message, cause }) {
    console.log(code)
    console.log(message)
    console.log(cause.code)
  }`

const loggingByItsOwn = `
  import { pino } from 'pino'
  import { SessionRegistry } from 'session-registry'
  const registry = new SessionRegistry({ create: () => [], logger: pino(), logIds: 'plain' })
  registry.getOrCreate('ada')`

const quiet = `
  import { SessionRegistry } from 'session-registry'
  const registry = new SessionRegistry({ timeoutMs: 1, intervalMs: 5, create: () => [] })
  const keepAlive = setTimeout(() => {}, 20_000)
  registry.once('swept', ({ expired }) => {
    console.log('swept', expired)
    clearTimeout(keepAlive)
  })
  registry.run('ada', (session) => session.value.push('hello')).then(console.log)`

describe.each<[Format]>([['cjs'], ['esm']])('a bundle by esbuild, %s', (format) => {
  it.each([
    ['left out', ['pino']],
    ['not left out', []],
  ])('logger true: logs with pino in node_modules, which is %s', async (_what, external) => {
    const folder = join(project.folder, 'build')
    await mkdir(folder, { recursive: true })
    const [line = ''] = await linesOf(await bundle(logging, { format, external, folder }))

    expect(JSON.parse(line)).toMatchObject({ session: 'ada', msg: 'session created' })
  })

  it('logger true: fails without node_modules, with an error that asks for a pino logger', async () => {
    const [code, message, cause] = await linesOf(await bundle(refused, { format, folder: bare }))

    expect(code).toBe('ERR_SESSION_OPTION_INVALID')
    expect(message).toMatch(/^Expected `logger` to be .*Pass a pino logger$/)
    expect(cause).toBe('MODULE_NOT_FOUND')
  })

  it('a pino logger: if bundled and passed, logs without node_modules', async () => {
    const [line = ''] = await linesOf(await bundle(loggingByItsOwn, { format, folder: bare }))

    expect(JSON.parse(line)).toMatchObject({ registry: 'sessions', session: 'ada', msg: 'session created' })
  })

  it('no logger: turns and sweeps work without node_modules', async () => {
    expect(await linesOf(await bundle(quiet, { format, folder: bare }))).toEqual(['1', 'swept 1'])
  })
})

it('a bundle of a program that requires the package: logger true logs', async () => {
  const folder = join(project.folder, 'build')
  await mkdir(folder, { recursive: true })
  const program = logging.replace(/import (.+) from (.+)/, 'const $1 = require($2)')
  const path = await bundle(program, { format: 'cjs', folder, file: 'program.cjs' })
  const [line = ''] = await linesOf(path)

  expect(JSON.parse(line)).toMatchObject({ session: 'ada', msg: 'session created' })
})

it('an import in `node -e`: finds pino, though there is a global `__filename` that is no path', async () => {
  const { stdout } = await project.run(
    'evaluated.mjs',
    `globalThis.__filename = '[eval]'
     const { SessionRegistry } = await import('session-registry')
     const registry = new SessionRegistry({ create: () => [], logger: true, logIds: 'plain' })
     registry.getOrCreate('ada')`,
  )

  expect(JSON.parse(stdout)).toMatchObject({ name: 'session-registry', session: 'ada' })
})

// Jest with jsdom: a `document`, no `setImmediate`, and CommonJS, where the build makes `import.meta.url` of
// the page's.
it('CommonJS in a simulated page: finds pino, and completes a long sweep', async () => {
  const { stdout } = await project.run(
    'page.cjs',
    `globalThis.document = { currentScript: null, baseURI: 'http://localhost/' }
     delete globalThis.setImmediate
     const { SessionRegistry } = require('session-registry')
     const registry = new SessionRegistry({ timeoutMs: 50, intervalMs: 500, logger: true })
     const keepAlive = setTimeout(() => {}, 20_000)
     registry.on('ended', () => { for (const until = performance.now() + 5; performance.now() < until; ); })
     registry.once('swept', () => clearTimeout(keepAlive))
     for (const id of ['a', 'b', 'c', 'd']) registry.set(id, 1)`,
  )
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

  expect(lines.at(-1)).toMatchObject({ msg: 'sweep done', expired: 4 })
})
