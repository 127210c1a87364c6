import { setTimeout as wait } from 'node:timers/promises'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { type McpServerLike, mcpTransports } from 'session-registry/mcp'
import { z } from 'zod'

/** In place of a container, a browser page or a child process of yours. */
class Sandbox {
  static async start(): Promise<Sandbox> {
    await wait(50)
    console.log('started')
    return new Sandbox()
  }

  async execute(command: string): Promise<string> {
    return `did ${command}`
  }

  async stop(): Promise<void> {
    await wait(50)
    console.log('stopped')
  }
}

/** Makes a server with a sandbox of its own. */
async function newServer(): Promise<McpServerLike> {
  const sandbox = await Sandbox.start()
  const server = new McpServer({ name: 'sandbox', version: '1.0.0' })
  server.registerTool('execute', { inputSchema: { command: z.string() } }, async ({ command }) => ({
    content: [{ type: 'text', text: await sandbox.execute(command) }],
  }))
  return {
    connect: (transport) => server.connect(transport),
    async close() {
      await server.close() // closes the transport, and aborts the signals of calls under way
      await sandbox.stop()
    },
  }
}

export const transports = mcpTransports({
  timeoutMs: 5 * 60_000,
  maxSessions: 20, // never more sandboxes than that, starting and stopping ones included
  server: newServer,
  transport: (options) => new StreamableHTTPServerTransport(options),
})
