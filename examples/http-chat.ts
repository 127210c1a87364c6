import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { type Session, SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

interface Message {
  readonly from: 'visitor' | 'bot'
  readonly text: string
}

const { PORT = '3000', SESSIONS_FOLDER = './sessions' } = process.env
const minute = 60_000

const chats = new SessionRegistry<Message[]>({
  create: () => [],
  store: fileStore(SESSIONS_FOLDER), // what was answered survives a deploy and a crash
  timeoutMs: 15 * minute,
  intervalMs: minute,
  keepMs: 30 * minute, // for chats that are not in memory when their time is over
  maxSessions: 10_000,
  maxWaiting: 5, // messages of one chat; one more is answered with 429
  maxTurnMs: 2 * minute,
  rollback: true, // a turn that fails leaves no question without an answer
  logger: true,
})
// The store would keep it, and the next message would bring it back.
chats.on('expired', ({ id }) => chats.delete(id))

const server = createServer(async (request, response) => {
  try {
    reply(response, 200, await answer(request, response))
  } catch (error) {
    // Errors of the registry have the status that fits, as those of `refusal` have.
    const { statusCode = 500, message } = error as { statusCode?: number; message: string }
    if (statusCode >= 500) console.error(error)
    reply(response, statusCode, { error: statusCode < 500 ? message : 'please try again later' })
  }
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<object> {
  const id = chatIdOf(request)
  if (request.method === 'GET') return (id && (await chats.open(id, { create: false }))) || []
  if (request.method !== 'POST') throw refusal(405, 'expected GET or POST')
  const text = await messageOf(request)

  const turn = async ({ value: history }: Session<Message[]>, signal: AbortSignal) => {
    history.push({ from: 'visitor', text })
    const said = await askModel(history, signal)
    history.push({ from: 'bot', text: said })
    return { said, messages: history.length }
  }
  // An id that this server has not made, or whose chat is deleted, begins no chat: the visitor gets a new id.
  const said = id && (await chats.run(id, turn, { create: false }))
  if (said) return said
  const newId = randomUUID()
  response.setHeader('set-cookie', `chat=${newId}; Path=/; HttpOnly; Secure; SameSite=Lax`)
  return chats.run(newId, turn)
}

process.once('SIGTERM', async () => {
  const answered = new Promise((resolve) => server.close(resolve)) // no new connections
  // `chats.close()` refuses messages that wait for their turn, so let the server answer them first.
  await Promise.race([answered, wait(10_000, undefined, { ref: false })])
  const { failed } = await chats.close()
  process.exitCode = failed.length > 0 ? 1 : 0
})

server.listen(Number(PORT), '127.0.0.1', () => console.log('listening', server.address()))

function chatIdOf({ headers }: IncomingMessage): string | undefined {
  return /(?:^|; )chat=([\w-]{36})(?:;|$)/.exec(headers.cookie ?? '')?.[1]
}

async function messageOf(request: IncomingMessage): Promise<string> {
  if (!(Number(request.headers['content-length']) <= 10_000)) throw refusal(413, 'expected 10 kB at most')
  const body = await json(request).catch(() => undefined)
  const { message } = Object(body) as { message?: unknown }
  if (typeof message !== 'string' || message === '') throw refusal(400, 'expected {"message": "…"}')
  return message
}

function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode })
}

function reply(response: ServerResponse, statusCode: number, body: object): void {
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** In place of your model. */
async function askModel(history: readonly Message[], signal: AbortSignal): Promise<string> {
  await wait(200, undefined, { signal })
  return `You said: ${history.at(-1)?.text}`
}
