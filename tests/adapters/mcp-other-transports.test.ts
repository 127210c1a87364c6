import type { IncomingMessage, ServerResponse } from 'node:http'
import { type McpTransport, mcpTransports } from 'session-registry/mcp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveHttp } from '../support/http-server.ts'
import { initialize, sendTo } from '../support/mcp-http.ts'
import { recordWarnings } from '../support/recorded-warnings.ts'
import { waitUntil } from '../support/wait-until.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Serves transports that are not of the SDK: each request is answered by the function given. */
async function serveAnswers(answer: Answer, maxSessions = 10) {
  const made: (McpTransport & { id: string })[] = []
  const closes: string[] = []
  const { handle, close } = mcpTransports({
    timeoutMs: 60_000,
    maxSessions,
    server: () => {
      let connected: McpTransport | undefined
      return {
        connect: async (transport: never) => {
          connected = transport
        },
        close: async () => {
          closes.push('server')
          await connected?.close()
        },
      }
    },
    transport: ({ sessionIdGenerator }) => {
      const transport = {
        id: sessionIdGenerator(),
        handleRequest: answer,
        close: async () => {
          closes.push('transport')
          transport.onclose?.()
        },
        onclose: undefined as (() => void) | undefined,
      }
      made.push(transport)
      return transport
    },
  })
  onTestFinished(() => close({ deadlineMs: 0 }))
  const url = await serveHttp(handle)
  const send = (method: string, session?: string) =>
    sendTo(url, method, {
      ...(method === 'POST' ? { body: initialize } : {}),
      ...(session === undefined ? {} : { session }),
    })
  return { url, made, closes, send, close }
}

describe('MCP transports that are not of the SDK', () => {
  it('one that rejects: the request is answered with 500, or ended where its answer was begun', async () => {
    const warnings = recordWarnings()
    let begins = false
    const { closes, send } = await serveAnswers(async (_request, response) => {
      if (begins) response.write('{')
      throw new Error('broken')
    })

    expect((await send('POST')).status).toBe(500)
    begins = true
    await expect(send('POST').then((response) => response.text())).rejects.toThrow()
    await waitUntil(() => warnings.length === 2)
    expect(closes).toEqual(['server', 'transport', 'server', 'transport'])
  })

  it('one that closes by itself: ends its session, and is not closed again', async () => {
    const { made, closes, send } = await serveAnswers(async (_request, response) => {
      response.end()
    })
    expect((await send('POST')).status).toBe(200)
    const id = made[0]?.id ?? ''
    expect((await send('POST', id)).status).toBe(200)
    made[0]?.onclose?.()

    expect((await send('POST', id)).status).toBe(404)
    await waitUntil(() => closes.length > 0)
    expect(closes.filter((closed) => closed === 'server')).toHaveLength(1)
  })

  it('one that does not close at DELETE: is closed, unless it has refused', async () => {
    let status = 405
    const { made, closes, send } = await serveAnswers(async (_request, response) => {
      response.statusCode = response.req.method === 'DELETE' ? status : 200
      response.end()
    })
    await send('POST')
    const id = made[0]?.id ?? ''
    expect((await send('DELETE', id)).status).toBe(405)
    expect((await send('POST', id)).status).toBe(200)
    status = 204
    expect((await send('DELETE', id)).status).toBe(204)

    await waitUntil(() => closes.length === 2)
    expect((await send('POST', id)).status).toBe(404)
  })

  it('one that resolves before it has answered: holds its session until the answer is complete', async () => {
    const answers: ServerResponse[] = []
    const { closes, send } = await serveAnswers(async (_request, response) => {
      answers.push(response)
      response.write('{')
    }, 1)
    const first = await send('POST')
    const second = await send('POST')
    expect([first.status, second.status]).toEqual([200, 503])
    answers[0]?.end('}')
    expect(await first.json()).toEqual({})

    await waitUntil(async () => {
      const response = await send('POST')
      void response.body?.cancel()
      return response.status === 200
    })
    expect(closes).toEqual(['server', 'transport'])
  })

  it('one that takes any `initialize`: is given it, though the SDK would refuse it', async () => {
    const { url, made } = await serveAnswers(async (_request, response) => void response.end('taken'))
    const bare = JSON.stringify({ method: 'initialize' })
    const answers = [
      await fetch(url, { method: 'POST', body: bare }),
      await fetch(url, { method: 'POST', body: bare }),
    ]

    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['taken', 'taken'])
    expect(made).toHaveLength(2)
  })

  it('one that answers after it has closed: its answer is the one that the client gets', async () => {
    let hasClosed = () => {}
    const { made, send } = await serveAnswers(async (_request, response) => {
      if (made.length > 1) return void response.end('first')
      await new Promise<void>((resolve) => {
        hasClosed = resolve
      })
      setImmediate(() => response.end('late'))
    })
    const first = send('POST')
    await waitUntil(() => made.length === 1)
    made[0]?.onclose?.()
    hasClosed()

    expect(await (await first).text()).toBe('late')
  })

  it('one that leaves a stream open when it closes: `close` destroys that, and only `close`', async () => {
    const answers: ServerResponse[] = []
    const { made, send, close } = await serveAnswers(async (_request, response) => {
      answers.push(response)
      response.write('{')
    })
    const [first, second] = [await send('POST'), await send('POST')]
    made[0]?.onclose?.()
    await close({ deadlineMs: 0 })

    expect(answers.map(({ destroyed }) => destroyed)).toEqual([false, true])
    await expect(second.text()).rejects.toThrow()
    answers[0]?.end('}')
    expect(await first.json()).toEqual({})
  })
})
