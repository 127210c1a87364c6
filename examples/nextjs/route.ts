// app/chat/[id]/route.ts
import { setTimeout as wait } from 'node:timers/promises'
import { isSessionRegistryError } from 'session-registry'
import { type Message, sessions } from './sessions.ts'

export const runtime = 'nodejs' // sessions live in the memory of a process
export const dynamic = 'force-dynamic'

interface Context {
  readonly params: Promise<{ readonly id: string }>
}

/** Streams the answer. The turn lasts until it was read to its end, or the visitor has left. */
export async function POST(request: Request, { params }: Context): Promise<Response> {
  const { id } = await params
  const { message } = (await request.json()) as { message: string }
  const parts = sessions.stream(id, async function* ({ value }, signal) {
    value.push({ role: 'user', text: message })
    let text = ''
    try {
      for await (const part of askModel(value, signal)) {
        text += part
        yield part
      }
    } finally {
      value.push({ role: 'assistant', text }) // only a part of it if the visitor leaves
    }
  })
  return answer(async () => {
    // What is wrong before the first part becomes a status: busy, queue full, store away.
    let next = await parts.next()
    const encoder = new TextEncoder()
    return new Response(
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (next.done) return controller.close()
          controller.enqueue(encoder.encode(next.value))
          next = await parts.next()
        },
        async cancel() {
          await parts.return(undefined) // the visitor has left: the signal of the turn aborts
        },
      }),
      { headers: { 'content-type': 'text/plain; charset=utf-8' } },
    )
  })
}

/** Returns the history. Reading creates no session. */
export async function GET(_request: Request, { params }: Context): Promise<Response> {
  const { id } = await params
  return answer(async () => {
    const history = await sessions.open(id, { create: false })
    return Response.json(history ?? { error: 'no such session' }, { status: history ? 200 : 404 })
  })
}

/** Errors of the registry have the HTTP status that fits. */
async function answer(respond: () => Promise<Response>): Promise<Response> {
  try {
    return await respond()
  } catch (error) {
    if (!isSessionRegistryError(error)) throw error
    return Response.json({ error: error.code }, { status: error.statusCode })
  }
}

/** In place of your model. */
async function* askModel(history: readonly Message[], signal: AbortSignal) {
  for (const part of ['You said: ', ...(history.at(-1)?.text ?? '').split(/(?<= )/)]) {
    await wait(20, undefined, { signal })
    yield part
  }
}
