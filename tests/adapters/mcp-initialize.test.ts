import { describe, expect, it } from 'vitest'
import { serveHttp } from '../support/http-server.ts'
import { initialize, ping, type SentRequest, sendTo, serveMcp } from '../support/mcp-http.ts'
import { lines, type McpLine } from '../support/mcp-lines.ts'
import { waitUntil } from '../support/wait-until.ts'

const { params } = initialize

/** Sends a request to a transport of the SDK that has its server, and no session yet. */
async function sendToSdk(line: McpLine, sent: SentRequest): Promise<Response> {
  const transport = line.newHttpServer({ sessionIdGenerator: () => 'a' })
  await line.newServer().connect(transport as never)
  const url = await serveHttp(
    (request, response) => void transport.handleRequest(request as never, response as never),
  )
  return await sendTo(url, 'POST', sent)
}

const refused: [what: string, sent: SentRequest][] = [
  ['an `accept` of something else', { body: initialize, headers: { accept: 'text/html' } }],
  ['an `accept` of anything', { body: initialize, headers: { accept: '*/*' } }],
  ['an `accept` of JSON alone', { body: initialize, headers: { accept: 'application/json' } }],
  ['an `accept` of events alone', { body: initialize, headers: { accept: 'text/event-stream' } }],
  ['another content type', { body: initialize, headers: { 'content-type': 'text/plain' } }],
  [
    'another content type that names JSON',
    { body: initialize, headers: { 'content-type': 'text/plain; a=application/json' } },
  ],
  ['another version of JSON-RPC', { body: { ...initialize, jsonrpc: '1.0' } }],
  ['no version of JSON-RPC', { body: { ...initialize, jsonrpc: undefined } }],
  ['an id of null', { body: { ...initialize, id: null } }],
  ['an id that is no whole number', { body: { ...initialize, id: 1.5 } }],
  ['no `params`', { body: { ...initialize, params: undefined } }],
  ['`params` of null', { body: { ...initialize, params: null } }],
  ['a list as `params`', { body: { ...initialize, params: [params] } }],
  ['empty `params`', { body: { ...initialize, params: {} } }],
  ...(['protocolVersion', 'capabilities', 'clientInfo'] as const).flatMap((name) =>
    [undefined, null, 7, []].map((value): [string, SentRequest] => [
      `\`${name}\`: ${value?.toString() ?? value}`,
      { body: { ...initialize, params: { ...params, [name]: value } } },
    ]),
  ),
  ...(['name', 'version'] as const).map((name): [string, SentRequest] => [
    `no \`${name}\` of the client`,
    {
      body: { ...initialize, params: { ...params, clientInfo: { ...params.clientInfo, [name]: undefined } } },
    },
  ]),
  ['two in a batch', { body: [initialize, initialize] }],
  ['one among others in a batch', { body: [ping, initialize] }],
  ['one beside what is no message', { body: [initialize, {}] }],
  ['one beside null', { body: [initialize, null] }],
  ['a long batch', { body: Array.from({ length: 101 }, () => initialize) }],
]

const accepted: [what: string, sent: SentRequest][] = [
  ['as its clients send it', { body: initialize }],
  [
    'parameters of the content type',
    { body: initialize, headers: { 'content-type': 'Application/JSON; a=b' } },
  ],
  ['a sloppy content type', { body: initialize, headers: { 'content-type': 'application/json ;' } }],
  [
    'qualities in `accept`',
    { body: initialize, headers: { accept: 'text/event-stream;q=0.5,application/json' } },
  ],
  ['a batch of one', { body: [initialize] }],
  ['an id that is a string', { body: { ...initialize, id: '' } }],
  ['an unknown protocol version', { body: { ...initialize, params: { ...params, protocolVersion: '' } } }],
  [
    'further members',
    { body: { ...initialize, params: { ...params, more: 1, capabilities: { more: {} }, _meta: { a: 1 } } } },
  ],
]

describe.each(lines)('an `initialize` at transports of $name', (line) => {
  it.each(refused)(
    '%s: is answered as the SDK does, without a server, and ends no session',
    async (_, sent) => {
      const mcp = await serveMcp(line, { maxSessions: 1 })
      const session = await mcp.begin()
      const [response, ofSdk] = [await mcp.request('POST', sent), await sendToSdk(line, sent)]

      expect(response.status).toBeGreaterThanOrEqual(400)
      expect(response.status).toBe(ofSdk.status)
      expect(response.headers.get('content-type')).toBe(ofSdk.headers.get('content-type'))
      expect(await response.json()).toEqual(await ofSdk.json())
      expect(mcp.servers).toHaveLength(1)
      expect(await mcp.statusOf('POST', { session, body: ping })).toBe(200)
    },
  )

  it.each(accepted)('%s: begins a session, as with the SDK', async (_, sent) => {
    const mcp = await serveMcp(line)
    const [response, ofSdk] = [await mcp.request('POST', sent), await sendToSdk(line, sent)]

    expect([response.status, ofSdk.status]).toEqual([200, 200])
    expect(await response.text()).toContain('"protocolVersion"')
    const session = response.headers.get('mcp-session-id') ?? ''
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(200)
  })

  it('as a notification: 400, since the client would not be told its session', async () => {
    const mcp = await serveMcp(line)
    await mcp.begin()

    expect(await mcp.statusOf('POST', { body: { ...initialize, id: undefined } })).toBe(400)
    expect(mcp.servers).toHaveLength(1)
  })

  it('before the first session: is refused by the transport, and leaves no session', async () => {
    const mcp = await serveMcp(line, { maxSessions: 1 })
    const refusedFirst = { body: initialize, headers: { accept: 'text/html' } }
    expect(await mcp.statusOf('POST', refusedFirst)).toBe(406)
    await waitUntil(() => mcp.closes.length === 1)
    const session = await mcp.begin()
    expect(await mcp.statusOf('POST', refusedFirst)).toBe(406)

    expect(mcp.servers).toHaveLength(2)
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(200)
  })

  it('that only the transport refuses: leaves no session, and its server is closed', async () => {
    const mcp = await serveMcp(line, {
      transport: (options) =>
        line.newHttpServer({
          ...options,
          enableDnsRebindingProtection: true,
          allowedOrigins: ['https://app.example'],
        }),
    })
    const session = await mcp.begin()
    expect(
      await mcp.statusOf('POST', { body: initialize, headers: { origin: 'https://other.example' } }),
    ).toBe(403)
    expect(
      await mcp.statusOf('POST', {
        body: { ...initialize, params: { ...params, capabilities: { roots: true } } },
      }),
    ).toBe(400)

    await waitUntil(() => mcp.closes.length === 2)
    expect(mcp.closes.toSorted()).toEqual(['server 2', 'server 3'])
    expect(await mcp.statusOf('POST', { session, body: ping })).toBe(200)
  })
})
