import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const howToGetPostgres = 'install PostgreSQL (Debian: apt-get install postgresql)'

/** Where Debian puts the programs of each version, and where others put them on the PATH. */
const debianFolder = '/usr/lib/postgresql'

/**
 * The folder of the newest PostgreSQL programs. `undefined`: there is none, and what needs one is skipped.
 */
export function findPostgres(): string | undefined {
  const { PATH = '' } = process.env
  const versions = list(debianFolder).toSorted((one, other) => Number(other) - Number(one))
  const folders = [...versions.map((version) => join(debianFolder, version, 'bin')), ...PATH.split(':')]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => list(folder).includes(name)))
}

/**
 * A server of the tests' own on a free loopback port, which belongs to no user with rights and dies with this
 * process.
 */
export class PostgresServer {
  readonly port: number
  readonly #folder: string
  #child: ChildProcess

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port
    this.#folder = folder
    this.#child = child
  }

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'session-registry-postgres-'))
    const user = unprivilegedUser()
    if (user !== undefined) chownSync(folder, user.uid, user.gid)
    const arguments_ = [
      '-D',
      join(folder, 'data'),
      '-U',
      'test',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ]
    await run(program('initdb'), arguments_, { ...user, cwd: folder })
    const port = await freePort()
    return new PostgresServer(port, folder, await spawnServer(folder, port))
  }

  get url(): string {
    return `postgres://test@127.0.0.1:${this.port}/postgres`
  }

  /** Ends the server as a crash of its machine would, but for what the system still writes. */
  async crash(): Promise<void> {
    await end(this.#child, 'SIGQUIT')
  }

  async restart(): Promise<void> {
    await this.crash()
    this.#child = await spawnServer(this.#folder, this.port)
  }

  async stop(): Promise<void> {
    await end(this.#child, 'SIGINT')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function spawnServer(folder: string, port: number): Promise<ChildProcess> {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'max_connections=60',
  ]
  const arguments_ = [
    '-D',
    join(folder, 'data'),
    '-p',
    String(port),
    ...settings.flatMap((one) => ['-c', one]),
  ]
  const child = spawn(program('postgres'), arguments_, {
    ...unprivilegedUser(),
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const dieToo = () => child.kill('SIGKILL')
  process.once('exit', dieToo)
  child.once('exit', () => process.off('exit', dieToo))
  const lines: string[] = []
  const isReady = await new Promise<boolean>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve(false))
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (line.includes('ready to accept connections')) resolve(true)
    })
  })
  if (!isReady) throw new Error(`PostgreSQL did not start on port ${port}:\n${lines.join('\n')}`)
  return child
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  const nobody = 65_534
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : undefined
}

function program(name: string): string {
  const folder = findPostgres()
  if (folder === undefined) throw new Error(`There is no PostgreSQL: ${howToGetPostgres}`)
  return join(folder, name)
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
