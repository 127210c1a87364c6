import type { IncomingMessage, ServerResponse } from 'node:http'
import { OpenResponses } from './open-responses.ts'

/** What is used of a Streamable HTTP transport of the MCP SDK, which both of its lines have. */
export interface McpTransport {
  handleRequest(request: never, response: never, parsedBody?: unknown): Promise<unknown>
  close(): Promise<unknown>
  onclose?: (() => void) | undefined
}

/** What is used of a server of the MCP SDK: an `McpServer`, or the `Server` in it. */
export interface McpServerLike {
  connect(transport: never): Promise<unknown>
  /** Closes its transport too. */
  close(): Promise<unknown>
}

/** Options for the constructor of a transport, as both lines of the MCP SDK take them. */
export interface McpTransportOptions {
  readonly sessionIdGenerator: () => string
}

/** The factories of the application. */
export interface ConnectionParts {
  server(this: void): McpServerLike | PromiseLike<McpServerLike>
  transport(this: void, options: McpTransportOptions): McpTransport | PromiseLike<McpTransport>
}

/** The server and the transport of one MCP session. */
export class Connection {
  readonly transport: McpTransport
  readonly #server: McpServerLike
  readonly #responses = new OpenResponses()
  #isClosed = false
  #isStopping = false
  #responsesEnded: Promise<void> | undefined
  /** Called when the transport closes, whoever closed it. */
  #onClosed: (() => void) | undefined
  /** The number of streams that clients keep open with GET. */
  streams = 0

  constructor(transport: McpTransport, server: McpServerLike) {
    this.transport = transport
    this.#server = server
    // Before `connect`, which chains it: set later, it would take the place of the server's own, and the
    // server would not learn that it should abort its tools.
    const { onclose } = transport
    transport.onclose = () => {
      this.#isClosed = true
      onclose?.call(transport)
      this.#onClosed?.()
      void this.endResponses()
    }
  }

  /**
   * Passes a request to the transport, and resolves when its response is closed. `closed` tells that: a
   * transport that closes may leave its own promise pending.
   */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    closed: Promise<void>,
    body: unknown,
  ): Promise<void> {
    // In both lines of the SDK, a DELETE is answered after the transport has closed.
    if (request.method !== 'DELETE') this.#responses.add(response, closed)
    await Promise.race([this.transport.handleRequest(request as never, response as never, body), closed])
    await closed
  }

  /** Connects the two, or closes them. `onClosed` is not called before that is done. */
  async connect(onClosed: () => void): Promise<void> {
    try {
      await this.#server.connect(this.transport as never)
      if (this.#isClosed) throw new Error('The MCP transport was closed while it was being connected')
    } catch (error) {
      await this.close().catch(() => {})
      throw error
    }
    this.#onClosed = onClosed
  }

  /** Closes the server and the transport. `isStopping`: whether all sessions are being closed. */
  async close(isStopping = false): Promise<void> {
    this.#isStopping = isStopping
    try {
      await this.#server.close()
    } finally {
      if (!this.#isClosed) await this.transport.close()
    }
  }

  /** Ends the responses that are open, once. The transport has been closed, or does not close in time. */
  endResponses(): Promise<void> {
    this.#responsesEnded ??= this.#responses.end(() => this.#isStopping)
    return this.#responsesEnded
  }
}

/**
 * Makes and connects the server and the transport of a session. `onClosed`: when the transport has closed.
 */
export async function openConnection(
  id: string,
  parts: ConnectionParts,
  onClosed: () => void,
): Promise<Connection> {
  const server = await parts.server()
  let connection: Connection
  try {
    connection = new Connection(await parts.transport({ sessionIdGenerator: () => id }), server)
  } catch (error) {
    await closeQuietly(server)
    throw error
  }
  await connection.connect(onClosed)
  return connection
}

async function closeQuietly(server: McpServerLike): Promise<void> {
  try {
    await server.close()
  } catch {
    // The error of the transport is the one to report.
  }
}
