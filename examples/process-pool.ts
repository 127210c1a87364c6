import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { SessionRegistry } from 'session-registry'

// In place of your agent, interpreter or language server: it keeps its state in its own memory.
const program = `let count = 0; process.on('message', () => process.send(++count))`

const workers = new SessionRegistry<ChildProcess>({
  maxSessions: 2, // never more processes than that, starting and stopping ones included
  timeoutMs: 3_000,
  intervalMs: 100,
  create: async (id) => {
    const worker = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    await once(worker, 'spawn')
    // A worker that crashes takes its session along.
    worker.once('exit', () => workers.peek(id)?.value === worker && workers.delete(id))
    console.log(`started ${worker.pid} for ${id}`)
    return worker
  },
  dispose: async (worker, reason, { signal }) => {
    if (worker.exitCode === null && worker.signalCode === null) {
      const exited = once(worker, 'exit')
      worker.kill()
      // One that ignores SIGTERM for `disposeTimeoutMs`, or until the deadline of `close`.
      signal.addEventListener('abort', () => worker.kill('SIGKILL'))
      await exited
    }
    console.log(`stopped ${worker.pid}: ${reason}`)
  },
  disposeTimeoutMs: 5_000,
})

function ask(id: string): Promise<number> {
  return workers.run(id, async ({ value: worker }, signal) => {
    const answered = once(worker, 'message', { signal })
    worker.send('next')
    const [count] = await answered
    return count
  })
}

// Many calls at once start one process.
console.log(await Promise.all([ask('ada'), ask('ada'), ask('ada')])) // [ 1, 2, 3 ]
console.log(await ask('ben'))
console.log(await ask('cleo')) // at the cap: Ada's process is stopped first

while (workers.size + workers.stats().disposing > 0) await wait(100)
console.log('none is left: all were idle')

console.log(await ask('ada'))
await workers.close() // stops what is left
