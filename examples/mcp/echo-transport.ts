import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Transport } from './mcp-handler.ts'

/** In place of an SDK's server and transport: it counts calls, and keeps a GET open until it is closed. */
export class EchoTransport implements Transport {
  readonly #id: string
  readonly #streams = new Set<ServerResponse>()
  #calls = 0

  constructor(id: string) {
    this.#id = id
  }

  async handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('mcp-session-id', this.#id)
    if (request.method === 'GET') {
      this.#streams.add(response.writeHead(200, { 'content-type': 'text/event-stream' }))
      response.flushHeaders()
    } else {
      this.#calls += 1
      response.end(JSON.stringify({ jsonrpc: '2.0', id: this.#calls, result: { calls: this.#calls } }))
    }
    await new Promise((resolve) => response.once('close', resolve))
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) stream.end()
    console.log('closed')
  }
}
