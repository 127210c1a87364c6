import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Stops the chat server, which archives its histories to disk, in the middle of turns, starts it again, and
 * checks that the history of every visitor is complete.
 *
 * Exits with 1 if a message that was answered is missing.
 */
const visitors = Array.from({ length: 200 }, (_, index) => `visitor-${index}`)
const folder = await mkdtemp(join(tmpdir(), 'session-registry-archive-'))

try {
  const first = await startServer()
  const answered = new Map<string, string[]>()
  const talking = visitors.map((visitor) => talk(first.address, visitor, answered))
  // Each turn takes 50 ms, so that SIGTERM comes in the middle of many turns.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  first.child.kill('SIGTERM')
  const [exitCode] = await first.exited
  await Promise.all(talking)
  const count = Array.from(answered.values(), (messages) => messages.length).reduce((a, b) => a + b, 0)
  console.log(
    `${count} messages of ${answered.size} visitors answered; SIGTERM; the server exits with ${exitCode}`,
  )

  const second = await startServer()
  let missing = 0
  for (const [visitor, messages] of answered) {
    const history = await read(second.address, visitor)
    missing += messages.filter((message) => !history.includes(message)).length
  }
  second.child.kill('SIGTERM')
  await second.exited
  console.log(`started again: ${count - missing} of ${count} messages found, ${missing} missing`)
  if (missing > 0 || count === 0 || exitCode !== 0) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function startServer(): Promise<{ child: ChildProcess; address: string; exited: Promise<unknown[]> }> {
  const main = fileURLToPath(new URL('chat-server/main.ts', import.meta.url))
  const env = { ...process.env, PORT: '0', ARCHIVE_FOLDER: folder, THINK_MS: '50', LOG_LEVEL: 'warn' }
  const child = fork(main, { env, execArgv: ['--import', 'tsx'] })
  const exited = once(child, 'exit')
  const [{ address }] = (await once(child, 'message')) as [{ address: string }]
  return { child, address, exited }
}

/** Sends one message after another, and records the answered ones, until the server is gone. */
async function talk(address: string, visitor: string, answered: Map<string, string[]>): Promise<void> {
  for (let count = 1; ; count += 1) {
    const message = `I feel ${count} times as good as before`
    try {
      const response = await fetch(`${address}/chat/${visitor}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ message }),
      })
      if (!response.ok) return
      await response.json()
    } catch {
      return
    }
    const messages = answered.get(visitor)
    if (messages === undefined) answered.set(visitor, [message])
    else messages.push(message)
  }
}

async function read(address: string, visitor: string): Promise<string[]> {
  const response = await fetch(`${address}/chat/${visitor}`)
  if (!response.ok) return []
  const { messages } = (await response.json()) as { messages: { text: string }[] }
  return messages.map(({ text }) => text)
}
