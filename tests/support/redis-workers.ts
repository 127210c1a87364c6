import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { Journal } from './journal.ts'
import { uniquePrefix } from './redis-suite.ts'
import type { Call, Failure, Jobs, Reply, WorkerSettings } from './worker-jobs.ts'

const program = fileURLToPath(new URL('./redis-worker.ts', import.meta.url))

/** A job that failed in the worker; `code` is that of its `SessionRegistryError`, or the error in words. */
class WorkerError extends Error {
  readonly code: string

  constructor({ code, stack }: Failure) {
    super(`the worker's job failed with ${code}\n${stack}`)
    this.code = code
  }
}

interface Waiting {
  resolve(result: never): void
  reject(error: unknown): void
}

/** A process that runs a registry of its own. */
export class RedisWorker {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #notices: Readonly<Record<string, unknown>>[] = []
  #calls = 0

  constructor(settings: WorkerSettings) {
    this.#child = fork(program, [JSON.stringify(settings)], { execArgv: ['--import', 'tsx'] })
    this.#child.on('message', (message: Reply | Readonly<Record<string, unknown>>) => {
      if ('call' in message) this.#settle(message as Reply)
      else this.#notices.push(message)
    })
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the worker ended: ${signal ?? code}`))
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN
  }

  /** Its messages that are not replies to jobs. */
  get notices(): readonly Readonly<Record<string, unknown>>[] {
    return this.#notices
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  do<J extends keyof Jobs>(job: J, ...args: Parameters<Jobs[J]>): ReturnType<Jobs[J]> {
    this.#calls += 1
    const call = this.#calls
    const settled = new Promise<never>((resolve, reject) => {
      if (this.hasEnded) reject(new Error('the worker has ended'))
      else this.#waiting.set(call, { resolve, reject })
    })
    if (!this.hasEnded) this.#child.send({ call, job, args: args[0] } satisfies Call)
    return settled as ReturnType<Jobs[J]>
  }

  /** Suspends the process, as if its machine were paused. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.call)
    this.#waiting.delete(reply.call)
    if ('failure' in reply) waiting?.reject(new WorkerError(reply.failure))
    else waiting?.resolve(reply.result as never)
  }
}

/** Worker processes that share a prefix and a journal. */
export class Workers {
  readonly prefix: string
  readonly journal = Journal.create()
  readonly #settings: WorkerSettings
  readonly #started: RedisWorker[] = []

  constructor(
    redis: { readonly url: string },
    settings: Partial<WorkerSettings> & Pick<WorkerSettings, 'options'>,
  ) {
    this.prefix = uniquePrefix()
    const { journal, prefix } = this
    this.#settings = { kind: 'redis', url: redis.url, prefix, journal: journal.path, ...settings }
  }

  /** Starts `count` workers, and resolves when they poll deadlines. */
  async start(count: number): Promise<RedisWorker[]> {
    const workers = Array.from({ length: count }, () => new RedisWorker(this.#settings))
    this.#started.push(...workers)
    await Promise.all(workers.map((worker) => worker.do('ready')))
    return workers
  }

  async end(): Promise<void> {
    await Promise.all(this.#started.map((worker) => worker.kill()))
    this.journal.remove()
  }
}

/** Workers that are killed when the test has finished. */
export function testWorkers(...args: ConstructorParameters<typeof Workers>): Workers {
  const workers = new Workers(...args)
  onTestFinished(() => workers.end())
  return workers
}
