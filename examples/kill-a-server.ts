import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/**
 * Kills the chat server, which keeps its histories in files, in the middle of turns, starts it again on the
 * same folder, and checks that each message that was answered is there, followed by its answer.
 *
 * Exits with 1 if one is missing. `SAVE=end` shows that: the server then writes histories only when they end.
 */
interface Answered {
  readonly message: string
  readonly reply: string
}

const visitors = Array.from({ length: 100 }, (_, index) => `visitor-${index}`)
const folder = await mkdtemp(join(tmpdir(), 'session-registry-demo-'))
const children: ChildProcess[] = []
let waiting = 0

try {
  const first = await startServer()
  const talking = visitors.map((visitor) => talk(first.address, visitor))
  await wait(1_500)
  const inTurns = waiting
  first.child.kill('SIGKILL')
  const answered = await Promise.all(talking)
  const total = answered.flat().length
  console.log(`${total} messages of ${visitors.length} visitors answered; SIGKILL during ${inTurns} turns`)

  const second = await startServer()
  const missing = await Promise.all(
    visitors.map(async (visitor, place) => {
      const history = await read(second.address, visitor)
      return (answered[place] ?? []).filter((one) => !isIn(history, one)).length
    }),
  )
  const lost = missing.reduce((sum, count) => sum + count, 0)
  console.log(`started again: ${total - lost} of ${total} answered messages found, ${lost} missing`)
  if (lost > 0 || total === 0 || inTurns === 0) process.exitCode = 1
} finally {
  for (const child of children) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

async function startServer(): Promise<{ child: ChildProcess; address: string }> {
  const main = fileURLToPath(new URL('chat-server/main.ts', import.meta.url))
  // Each answer takes 50 ms, so a visitor is in a turn nearly all the time.
  const env = { ...process.env, PORT: '0', SESSIONS_FOLDER: folder, THINK_MS: '50', LOG_LEVEL: 'warn' }
  const child = fork(main, { env, execArgv: ['--import', 'tsx'] })
  children.push(child)
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`the server exited with ${code}`)
  })
  const [{ address }] = (await Promise.race([once(child, 'message'), exited])) as [{ address: string }]
  return { child, address }
}

/** Sends one message after another until the server is gone. Returns those that were answered. */
async function talk(address: string, visitor: string): Promise<Answered[]> {
  const answered: Answered[] = []
  for (;;) {
    const message = `I feel ${answered.length + 1} times as good as before`
    waiting += 1
    const response = await post(`${address}/chat/${visitor}`, { message }).finally(() => {
      waiting -= 1
    })
    if (response === undefined) return answered
    if (response.reply === undefined) throw new Error('a message was refused')
    answered.push({ message, reply: response.reply })
  }
}

/** Returns the body of the response; `undefined` if the server is gone. */
async function post(url: string, body: object): Promise<{ reply?: string } | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await response.json()) as { reply?: string }
  } catch {
    return undefined
  }
}

async function read(address: string, visitor: string): Promise<string[]> {
  const response = await fetch(`${address}/chat/${visitor}`)
  const { messages = [] } = (await response.json()) as { messages?: { text: string }[] }
  return messages.map(({ text }) => text)
}

function isIn(history: readonly string[], { message, reply }: Answered): boolean {
  const place = history.indexOf(message)
  return place >= 0 && history[place + 1] === reply
}
