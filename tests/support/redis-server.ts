import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findRedisProgram, howToGetRedis } from './redis-source.ts'

export interface RedisServerOptions {
  /** Whether it writes an append-only file, which preserves its data across a restart. */
  readonly appendOnly?: 'always' | 'everysec' | undefined
  /** Further settings for its command line. */
  readonly args?: readonly string[] | undefined
}

// Below the ports that Linux gives to outgoing connections, and so is the bus of a cluster at 10 000 more;
// never 6379.
const lowestPort = 10_000
const highestPort = 22_000
const busOffset = 10_000
const tries = 20

/** A server on a free loopback port, which is killed with this process. */
export class RedisServer {
  readonly port: number
  readonly folder: string
  readonly #options: RedisServerOptions
  #child: ChildProcess

  private constructor(port: number, folder: string, options: RedisServerOptions, child: ChildProcess) {
    this.port = port
    this.folder = folder
    this.#options = options
    this.#child = child
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'session-registry-redis-'))
    for (let left = tries; ; left -= 1) {
      const port = await freePort()
      try {
        return new RedisServer(port, folder, options, await spawnServer(port, folder, options))
      } catch (error) {
        // Another process may have taken the port meanwhile.
        if (left === 0) throw error
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN
  }

  /**
   * Kills the process like a crash, or with another signal; its folder and port are kept for `restart`.
   */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await end(this.#child, signal)
  }

  async restart(): Promise<void> {
    await this.kill()
    this.#child = await spawnServer(this.port, this.folder, this.#options)
  }

  /** Suspends the process, so that it accepts connections and does not reply. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function spawnServer(
  port: number,
  folder: string,
  { appendOnly, args = [] }: RedisServerOptions,
): Promise<ChildProcess> {
  const program = findRedisProgram()
  if (program === undefined) throw new Error(`There is no Redis: ${howToGetRedis}`)
  const child = spawn(
    program,
    [
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', '--daemonize', 'no'],
      ...['--appendonly', appendOnly === undefined ? 'no' : 'yes', '--appendfsync', appendOnly ?? 'no'],
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const dieToo = () => child.kill('SIGKILL')
  process.once('exit', dieToo)
  child.once('exit', () => process.off('exit', dieToo))
  // Until an append-only file is loaded the server replies with errors only.
  const output: string[] = []
  const isReady = await new Promise<boolean>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve(false))
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.push(line)
      if (line.includes('Ready to accept connections')) resolve(true)
    })
  })
  if (!isReady) throw new Error(`${program} did not start on port ${port}:\n${output.join('\n')}`)
  output.length = 0
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function freePort(): Promise<number> {
  for (let left = tries; ; left -= 1) {
    const port = lowestPort + Math.floor(Math.random() * (highestPort - lowestPort))
    if ((await isFree(port)) && (await isFree(port + busOffset))) return port
    if (left === 0) throw new Error(`Found no free port between ${lowestPort} and ${highestPort}`)
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject)
      probe.listen(port, '127.0.0.1', resolve)
    })
  } catch {
    return false
  }
  await new Promise((resolve) => probe.close(resolve))
  return true
}
