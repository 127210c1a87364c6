import { describe, expect, it } from 'vitest'
import { serveMcp } from '../support/mcp-http.ts'
import { lines, type McpLine } from '../support/mcp-lines.ts'
import { recordWarnings } from '../support/recorded-warnings.ts'
import { waitUntil } from '../support/wait-until.ts'

const call = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'wait', arguments: {} } }

/** Serves transports that answer as JSON, or as events, and begins a call that is not answered. */
async function serveCall(line: McpLine, enableJsonResponse: boolean) {
  const mcp = await serveMcp(line, {
    transport: (options) => line.newHttpServer({ ...options, enableJsonResponse }),
  })
  const session = await mcp.begin()
  const calling = mcp.request('POST', { session, body: call })
  await mcp.waiting(1)
  return { mcp, session, calling, json: async () => await (await calling).json() }
}

describe.each(lines)('a call that is under way when its transport of $name closes', (line) => {
  it('as JSON, at `close` with a deadline: 503, its connection is closed, and `handle` resolves', async () => {
    const { mcp, calling, json } = await serveCall(line, true)
    await mcp.transports.close({ deadlineMs: 20 })
    const response = await calling

    expect(response.status).toBe(503)
    expect(response.headers.get('connection')).toBe('close')
    expect(await json()).toMatchObject({ jsonrpc: '2.0', error: { message: 'Service Unavailable' } })
    await Promise.all(mcp.handled)
  })

  it('as JSON, at a DELETE: both are answered, the call with 404', async () => {
    const { mcp, session, calling, json } = await serveCall(line, true)

    expect(await mcp.statusOf('DELETE', { session })).toBe(200)
    expect((await calling).status).toBe(404)
    expect(await json()).toMatchObject({ jsonrpc: '2.0', error: { message: 'Session not found' } })
    await Promise.all(mcp.handled)
  })

  it('as JSON, when its server closes itself: 404', async () => {
    const { mcp, calling } = await serveCall(line, true)
    await mcp.servers[0]?.close()

    expect((await calling).status).toBe(404)
    await Promise.all(mcp.handled)
  })

  it('as JSON, while its server takes long to close: 404 as soon as the transport has closed', async () => {
    const { mcp, session, calling } = await serveCall(line, true)
    const [server] = mcp.servers
    const close = server?.close
    let release = () => {}
    Object.assign(server as object, {
      close: async () => {
        await close?.()
        await new Promise<void>((resolve) => {
          release = resolve
        })
      },
    })
    expect(await mcp.statusOf('DELETE', { session })).toBe(200)

    expect((await calling).status).toBe(404)
    release()
  })

  it('as JSON, at `close`, where its server does not close in time: 503 all the same', async () => {
    const warnings = recordWarnings()
    const { mcp, calling } = await serveCall(line, true)
    Object.assign(mcp.servers[0] as object, { close: () => new Promise(() => {}) })
    await mcp.transports.close({ deadlineMs: 20 })

    expect((await calling).status).toBe(503)
    await Promise.all(mcp.handled)
    await waitUntil(() => warnings.length === 1)
  })

  it('as JSON, in another session: goes on', async () => {
    const { mcp, calling, json } = await serveCall(line, true)
    expect(await mcp.statusOf('DELETE', { session: await mcp.begin() })).toBe(200)
    await waitUntil(() => mcp.closes.length === 1)
    mcp.waits[0]?.release()

    expect((await calling).status).toBe(200)
    expect(await json()).toMatchObject({ id: 3, result: { content: [{ text: 'released' }] } })
  })

  it.each(['close', 'DELETE'])('as events, at %s: the stream ends without an answer', async (end) => {
    const { mcp, session, calling } = await serveCall(line, false)
    if (end === 'close') await mcp.transports.close({ deadlineMs: 20 })
    else expect(await mcp.statusOf('DELETE', { session })).toBe(200)

    expect((await calling).status).toBe(200)
    expect(await (await calling).text()).not.toContain('jsonrpc')
    await Promise.all(mcp.handled)
  })
})
