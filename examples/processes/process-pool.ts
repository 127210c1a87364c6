import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type RunOptions, SessionRegistry, type SessionRegistryOptions } from 'session-registry'

type Limit = 'maxSessions' | 'timeoutMs' | 'intervalMs' | 'maxTurnMs'

export interface PoolOptions extends Pick<SessionRegistryOptions<ChildProcess>, Limit> {
  /** Starts a process with an IPC channel. Its first message says that it is ready. */
  readonly spawnWorker: (id: string) => ChildProcess
  /** The longest start, in milliseconds. */
  readonly startMs?: number
  /** The time from SIGTERM to SIGKILL, in milliseconds. */
  readonly killMs?: number
}

/** Keeps one process per id, and never more than `maxSessions` at once. */
export function processPool({ spawnWorker, startMs = 5_000, killMs = 2_000, ...limits }: PoolOptions) {
  const workers = new SessionRegistry<ChildProcess>({
    ...limits,
    create: start,
    loadTimeoutMs: startMs + killMs + 5_000, // longer than `start` takes: at a timeout its place is free
    dispose: (worker, _reason, { signal }) => stop(worker, signal),
    disposeTimeoutMs: Number.POSITIVE_INFINITY, // `stop` sends SIGKILL itself: at a timeout the place is free
  })

  /** Settles when the process is ready, or is gone. */
  async function start(id: string, { signal }: { readonly signal: AbortSignal }): Promise<ChildProcess> {
    const worker = spawnWorker(id)
    worker.on('error', (error) => console.error(error)) // a message to a process that has just ended
    worker.once('exit', () => drop(id, worker)) // a crash ends the session, too
    const abort = () => void stop(worker)
    signal.addEventListener('abort', abort)
    const timer = setTimeout(abort, startMs)
    try {
      await Promise.race([once(worker, 'message'), once(worker, 'exit')])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    if (!isRunning(worker)) throw new Error('the process ended before it was ready')
    return worker
  }

  /** Settles when the process is gone. Until then it has its place. */
  async function stop(worker: ChildProcess, signal?: AbortSignal): Promise<void> {
    if (!isRunning(worker)) return
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    const kill = () => worker.kill('SIGKILL')
    const timer = setTimeout(kill, killMs)
    signal?.addEventListener('abort', kill) // the last deadline of `close`
    worker.kill()
    await exited
    clearTimeout(timer)
  }

  /** Ends the session of this process. Its id may have another process by now. */
  function drop(id: string, worker: ChildProcess): void {
    if (workers.peek(id)?.value === worker) workers.delete(id)
  }

  /** Sends a request to the process of an id, and returns its answer. */
  function ask(id: string, request: string, options?: RunOptions<ChildProcess>): Promise<unknown> {
    return workers.run(
      id,
      async ({ value: worker }, signal) => {
        try {
          const answered = once(worker, 'message', { signal })
          worker.send(request)
          const [answer] = await answered
          return answer
        } catch (error) {
          drop(id, worker) // a late answer would be taken for that of the next request
          throw signal.aborted ? signal.reason : error // after a crash: ERR_SESSION_ENDED, 409
        }
      },
      options,
    )
  }

  return { workers, ask }
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null
}
