import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Packs the package, installs it into an empty folder and runs the smoke tests there on every runtime: first
 * by itself, then with frameworks.
 *
 * The runtimes come from npm, so a machine needs only Node and npm. A runtime that cannot be installed is a
 * failure.
 */
const run = promisify(execFile)

interface Runtime {
  readonly name: string
  /** The npm package of the runtime, with its version. */
  readonly from: string
  readonly command: readonly string[]
}

const runtimes: readonly Runtime[] = [
  ...[20, 22, 24, 26].map((version) => ({
    name: `Node ${version}`,
    from: `node@${version}`,
    command: ['node'],
  })),
  { name: 'Bun', from: 'bun@1', command: ['bun', 'run'] },
  { name: 'Deno', from: 'deno@2', command: ['deno', 'run', '-A', '--node-modules-dir=manual'] },
]

const programs = [
  ['smoke.mjs', 'ESM       '],
  ['smoke.cjs', 'CJS       '],
  ['smoke-stores.mjs', 'stores    '],
] as const

const frameworkPrograms = [['smoke-frameworks.mjs', 'frameworks']] as const

/** What that program imports, in the versions of the tests. */
const frameworks = [
  '@langchain/core',
  '@opentelemetry/api',
  '@opentelemetry/sdk-metrics',
  'express',
  'express-session',
  'grammy',
  'prom-client',
] as const

// A registry that keeps its process from exiting fails by this timeout.
const limits = { timeout: 300_000, maxBuffer: 16 * 1024 * 1024 }

const folder = await mkdtemp(join(tmpdir(), 'session-registry-runtimes-'))
try {
  await npm(process.cwd(), 'run', 'build')
  await npm(process.cwd(), 'pack', '--pack-destination', folder)
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack made no tarball')
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  await npm(folder, 'install', '--no-audit', '--no-fund', join(folder, tarball))
  for (const program of await readdir(join('scripts', 'smoke'))) {
    await cp(join('scripts', 'smoke', program), join(folder, program))
  }
  const failures: string[] = []
  for (const runtime of runtimes) failures.push(...(await tryOn(runtime, programs)))
  // Installed only now: the package needs none of them.
  await npm(folder, 'install', '--no-audit', '--no-fund', ...frameworks.map(installedVersion))
  for (const runtime of runtimes) failures.push(...(await tryOn(runtime, frameworkPrograms)))
  for (const failure of failures) console.error(`\n${failure}`)
  if (failures.length > 0) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function tryOn(
  { name, from, command }: Runtime,
  programs: readonly (readonly [program: string, what: string])[],
): Promise<string[]> {
  const failures: string[] = []
  for (const [program, what] of programs) {
    const label = `${name.padEnd(8)} ${what}`
    try {
      const { stdout } = await npm(folder, 'exec', '--yes', `--package=${from}`, '--', ...command, program)
      const version = /^runtime (.+)$/m.exec(stdout)?.[1]
      if (version === undefined) throw new Error(`it printed no version:\n${stdout}`)
      console.log(`${label}  ok  ${version}`)
    } catch (error) {
      console.log(`${label}  FAILED`)
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      failures.push(`${label}: ${String(error)}\n${stdout}\n${stderr}`)
    }
  }
  return failures
}

function installedVersion(name: string): string {
  const { version } = JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8'))
  return `${name}@${version}`
}

function npm(cwd: string, ...args: string[]) {
  return run('npm', args, { cwd, ...limits })
}
