import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const repository = fileURLToPath(new URL('../..', import.meta.url))

interface Output {
  readonly stdout: string
  readonly stderr: string
}

/**
 * A project that has installed the package from its tarball, outside this repository.
 */
export class ConsumerProject {
  readonly folder: string
  readonly packed: string
  readonly files: readonly string[]

  private constructor(folder: string, files: readonly string[]) {
    this.folder = folder
    this.packed = join(folder, 'node_modules', 'session-registry')
    this.files = files
  }

  /** Packs the build and unpacks it, as `npm install` would, but without a network. */
  static async create(): Promise<ConsumerProject> {
    if (await isStale()) await execute('npm', ['run', 'build'], { cwd: repository })
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'session-registry-consumer-')))
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
    const { stdout } = await execute('npm', pack, { cwd: repository })
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
    const project = new ConsumerProject(
      folder,
      files.map(({ path }) => path),
    )
    await mkdir(project.packed, { recursive: true })
    await execute('tar', ['-xzf', join(folder, filename), '-C', project.packed, '--strip-components=1'])
    await project.link('pino')
    await project.write('package.json', '{ "private": true }')
    return project
  }

  /** Links a package of the repository as if it were installed here. */
  async link(name: string): Promise<void> {
    const target = join(this.folder, 'node_modules', name)
    await mkdir(join(target, '..'), { recursive: true })
    await symlink(await realpath(join(repository, 'node_modules', name)), target, 'junction')
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text)
  }

  read(path: string): Promise<string> {
    return readFile(join(this.packed, path), 'utf8')
  }

  /** Runs a program here; one that does not exit fails. */
  async run(name: string, text: string): Promise<Output> {
    await this.write(name, text)
    return execute(process.execPath, [name], { cwd: this.folder, timeout: 20_000 })
  }

  tsc(project: string): Promise<Output> {
    const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    return execute(process.execPath, [compiler, '--noEmit', '-p', project], { cwd: this.folder })
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}

/** Reports whether a source of the build is newer than the build. */
async function isStale(): Promise<boolean> {
  const built = join(repository, 'dist', 'index.d.cts')
  if (!existsSync(built)) return true
  const sources = (await readdir(join(repository, 'src'), { recursive: true })).map((name) =>
    join('src', name),
  )
  const parts = [...sources, 'scripts/name-type-chunks.ts', 'tsup.config.ts', 'tsconfig.json', 'package.json']
  const times = await Promise.all(parts.map(async (part) => (await stat(join(repository, part))).mtimeMs))
  return Math.max(...times) > (await stat(built)).mtimeMs
}
