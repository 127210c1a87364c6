import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { isCopied } from '../../scripts/site/site-files.ts'
import { files as trackedFiles } from '../repo/tracked-files.ts'
import { ConsumerProject } from './consumer-project.ts'

// Each test is a process or a compiler; the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

let project: ConsumerProject

beforeAll(async () => {
  project = await ConsumerProject.create()
}, 180_000)

afterAll(() => project?.remove())

const exportedNames = {
  'session-registry': ['SessionRegistry', 'SessionRegistryError', 'isSessionRegistryError'],
  'session-registry/testing': ['ManualClock', 'storeContract'],
}

/** The same program for both module systems. */
const programs: [string, string, (program: string) => string][] = [
  [
    'ESM',
    'program.mjs',
    (program) =>
      `import * as root from 'session-registry'\nimport * as testing from 'session-registry/testing'\n${program}`,
  ],
  [
    'CJS',
    'program.cjs',
    (program) =>
      `const root = require('session-registry')\nconst testing = require('session-registry/testing')\n${program}`,
  ],
]

describe('the packed package', () => {
  it('contains only what is used', () => {
    const documents = trackedFiles.filter(
      (path) => isCopied(path) || /^(docs\/(?!\.vitepress)|skills\/|README\.md$|llms\.txt$)/.test(path),
    )

    expect(project.files.filter((path) => !path.startsWith('dist/')).toSorted()).toEqual(
      [...documents, 'package.json'].toSorted(),
    )
    expect(
      project.files.filter((path) => !/\.(js|cjs|d\.ts|d\.cts)$/.test(path) && path.startsWith('dist/')),
    ).toEqual([])
  })

  it('contains no source maps, which would name files outside it', async () => {
    const modules = project.files.filter((path) => /^dist\/.*\.c?js$/.test(path))

    expect(modules.length).toBeGreaterThanOrEqual(14)
    expect(project.files.filter((path) => path.endsWith('.map'))).toEqual([])
    for (const path of modules) expect(await project.read(path)).not.toContain('sourceMappingURL')
  })

  it('imports built-in modules as `node:…` only', async () => {
    const imported = /(?:\bfrom ?|\brequire\(|\bimport\(|^import ?)["']([^."'][^"']*)["']/gm
    const found = new Set<string>()
    for (const path of project.files.filter((file) => /^dist\/.*\.c?js$/.test(file))) {
      for (const [, name = ''] of (await project.read(path)).matchAll(imported)) found.add(name)
    }

    expect(found).toContain('node:events')
    expect([...found].filter((name) => isBuiltin(name) && !name.startsWith('node:'))).toEqual([])
  })

  it('has the constants of the hot paths inlined', async () => {
    const names = []
    for (const file of ['memory/fast-path/blockers', 'memory/table/layout']) {
      const source = await readFile(new URL(`../../src/${file}.ts`, import.meta.url), 'utf8')
      for (const [, name] of source.matchAll(/^export const (\w+) = /gm)) names.push(name)
    }
    expect(names.length).toBeGreaterThan(20)
    for (const build of ['dist/index.js', 'dist/index.cjs']) {
      // The build would keep them as variables if an import or a function stood above them.
      const code = (await project.read(build)).replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, '')
      expect(names.filter((name) => new RegExp(`\\b${name}\\b`).test(code))).toEqual([])
    }
  })

  it('depends on pino alone, and is marked free of side effects', async () => {
    const { dependencies, sideEffects, engines } = JSON.parse(await project.read('package.json'))

    expect(Object.keys(dependencies)).toEqual(['pino'])
    expect(sideEffects).toBe(false)
    expect(engines).toEqual({ node: '>=20' })
  })

  it('exports nothing but its entries', async () => {
    const { stdout } = await project.run(
      'inside.cjs',
      `try { require('session-registry/dist/index.cjs') } catch (error) { console.log(error.code) }`,
    )

    expect(stdout.trim()).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

describe.each(programs)('the package from %s', (kind, name, program) => {
  it('exports exactly these names', async () => {
    const { stdout } = await project.run(
      name,
      program(`console.log(JSON.stringify([Object.keys(root).sort(), Object.keys(testing).sort()]))`),
    )

    expect(JSON.parse(stdout)).toEqual(Object.values(exportedNames).map((names) => names.toSorted()))
  })

  // tsup's CJS without `splitting` duplicates classes across entries, and `instanceof` is false across
  // subpaths.
  it('has one class of each name across its entries', async () => {
    const { stdout } = await project.run(
      name,
      program(`
        try { new testing.ManualClock().advance(-1) } catch (error) {
          console.log(error instanceof root.SessionRegistryError, error.stack.split('\\n')[0])
        }
        const clock = new testing.ManualClock()
        const registry = new root.SessionRegistry({ clock, create: () => [] })
        registry.getOrCreate('a')
        clock.advance(20 * 60_000)
        console.log(registry.size, clock instanceof testing.ManualClock)
      `),
    )

    expect(stdout).toMatch(/^true SessionRegistryError: Expected `ms` .*\n0 true\n$/)
  })

  it('does not keep the process alive with live sessions, a hold and a logger', async () => {
    const { stdout } = await project.run(
      name,
      program(`
        const registry = new root.SessionRegistry({ create: () => [], logger: true, logIds: 'plain' })
        registry.getOrCreate('left behind')
        registry.hold('left behind')
      `),
    )

    expect(JSON.parse(stdout)).toMatchObject({
      level: 30,
      name: 'session-registry',
      registry: 'sessions',
      session: 'left behind',
      msg: 'session created',
    })
  })

  it('loads neither pino nor a framework when it is imported', async () => {
    const load = "require('node:module')._load"
    const { stdout } = await project.run(
      'loaded.cjs',
      `const loaded = []
       const Module = require('node:module')
       const original = ${load}
       Module._load = function (request, ...rest) { loaded.push(request); return original.call(this, request, ...rest) }
       const entries = ${JSON.stringify(Object.keys(exportedNames))}
       const all = ${JSON.stringify(kind)} === 'CJS' ? Promise.resolve(entries.map((one) => require(one))) : Promise.all(entries.map((one) => import(one)))
       all.then(() => {
         console.log(JSON.stringify({ loaded, cached: Object.keys(require.cache) }))
       })`,
    )
    const { loaded, cached } = JSON.parse(stdout) as { loaded: string[]; cached: string[] }

    expect(
      [...loaded, ...cached].filter((one) =>
        /pino|langchain|openai|redis|prom-client|opentelemetry|\/ai\//.test(one),
      ),
    ).toEqual([])
    const foreign = loaded.filter((one) => !isBuiltin(one) && !/^(\.|\/|session-registry)/.test(one))
    expect(foreign).toEqual([])
  })
})

describe('ESM and CommonJS in one process', () => {
  it('recognise each other’s errors, although their classes differ', async () => {
    const { stdout } = await project.run(
      'both.mjs',
      `import { createRequire } from 'node:module'
       import * as esm from 'session-registry'
       const cjs = createRequire(import.meta.url)('session-registry')
       const made = (library) => { try { new library.SessionRegistry({ timeoutMs: -1 }) } catch (error) { return error } }
       for (const [one, other] of [[esm, cjs], [cjs, esm]]) {
         const error = made(one)
         console.log(
           error instanceof other.SessionRegistryError,
           other.isSessionRegistryError(error),
           other.isSessionRegistryError(error, 'ERR_SESSION_OPTION_INVALID'),
           other.isSessionRegistryError(error, 'ERR_SESSION_BUSY'),
         )
       }`,
    )

    expect(stdout).toBe('false true true false\nfalse true true false\n')
  })

  it('hash an id equally, in `ref` and in log lines, and share one registry per key', async () => {
    const { stdout } = await project.run(
      'shared.mjs',
      `import { createRequire } from 'node:module'
       import * as esm from 'session-registry'
       const cjs = createRequire(import.meta.url)('session-registry')
       const logged = (library) => {
         const lines = []
         const logger = Object.fromEntries(['debug', 'info', 'warn', 'error'].map((level) => [level, (fields) => lines.push(fields.session)]))
         const registry = new library.SessionRegistry({ logger })
         registry.set('ada', 1)
         return [registry.ref('ada'), ...lines]
       }
       console.log(new Set([...logged(esm), ...logged(cjs)]).size)
       const made = [esm, cjs].map((library) => library.SessionRegistry.shared('key', () => new library.SessionRegistry()))
       console.log(made[0] === made[1])`,
    )

    expect(stdout).toBe('1\ntrue\n')
  })
})

describe('the types', () => {
  const program = `
    import { SessionRegistry, isSessionRegistryError, type Hold, type RunOptions, type Session, type SessionRegistryOptions } from 'session-registry'
    import { ManualClock } from 'session-registry/testing'
    const options: SessionRegistryOptions<string[]> = { clock: new ManualClock(), create: () => [] }
    const registry = new SessionRegistry<string[]>(options)
    registry.on('ended', (session: Session<string[]>, reason) => { const text: string = reason; void text; void session })
    const value: string[] = registry.getOrCreate('a')
    export const size: number = registry.size + value.length
    export const known: boolean = isSessionRegistryError(new Error())
    const waiting: RunOptions<string[]> = { waitMs: 5, create: () => [] }
    export const ran: Promise<number> = registry.run('a', (session) => session.value.push('hello'), waiting)
    export const held: Hold<string[]> | undefined = registry.hold('a', { maxMs: 5 })
    export const parts: AsyncGenerator<number> = registry.stream('a', async function* (session) { yield session.value.length })
  `
  const projects: [string, object, string][] = [
    ['node16, as ESM', { module: 'node16', moduleResolution: 'node16' }, 'types.mts'],
    ['node16, as CJS', { module: 'node16', moduleResolution: 'node16' }, 'types.cts'],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, 'types.ts'],
  ]

  beforeAll(async () => {
    await project.link('@types/node')
    await project.link('undici-types')
  })

  it.each(projects)(
    'resolve under %s, without skipLibCheck',
    async (_name, compilerOptions, file) => {
      const options = {
        ...compilerOptions,
        strict: true,
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
      }
      await project.write(file, program)
      await project.write(
        'tsconfig.json',
        JSON.stringify({ compilerOptions: { ...options, types: ['node'] }, files: [file] }),
      )

      const output = await project.tsc('tsconfig.json').catch((error: { stdout: string }) => error)
      expect(output.stdout).toBe('')
    },
    60_000,
  )
})
