import { spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { processPool } from './processes/process-pool.ts'

// In place of your agent, interpreter or language server: it keeps its state in its own memory.
const program = `
  let count = 0
  process.on('message', () => process.send(++count))
  process.send('ready')
`

const { workers, ask } = processPool({
  spawnWorker: () =>
    spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  maxSessions: 2,
  timeoutMs: 3_000,
  intervalMs: 100, // an idle process is stopped up to that much later
})
workers.on('created', ({ id, value }) => console.log(`started ${value.pid} for ${id}`))
workers.on('ended', ({ value }, reason) => console.log(`stopped ${value.pid}: ${reason}`))

// Many calls at once start one process.
console.log(await Promise.all([ask('ada', 'next'), ask('ada', 'next'), ask('ada', 'next')])) // [ 1, 2, 3 ]
console.log(await ask('ben', 'next'))
console.log(await ask('cleo', 'next')) // at the cap: Ada's process is stopped first

while (workers.size + workers.stats().disposing > 0) await wait(100)
console.log('all processes were idle, and are stopped')

console.log(await ask('ada', 'next'))
await workers.close() // stops the rest
