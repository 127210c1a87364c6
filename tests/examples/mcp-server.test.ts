import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Running } from './running.ts'

// It is a process that compiles itself first; the machine may be busy.
vi.setConfig({ testTimeout: 90_000 })

it('examples/mcp-server.ts: ends at SIGTERM while clients of both protocols are connected', async () => {
  const running = new Running('examples/mcp-server.ts')
  const [, port] = await running.printed(/port: (\d+)/)
  const url = new URL(`http://127.0.0.1:${port}/mcp`)
  for (const mode of ['legacy', 'auto'] as const) {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    onTestFinished(() => client.close())
    await client.connect(
      new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: 'ada' } } }),
    )
    expect((await client.callTool({ name: 'create_basket' })).isError).toBeUndefined()
  }
  const startedAt = performance.now()
  running.child.kill('SIGTERM')

  expect(await running.ended()).toBe(0)
  expect(running.lines.at(-1)).toBe('2 ended, 0 failed')
  // None of its waits was used up: the shortest is 5 s.
  expect(performance.now() - startedAt).toBeLessThan(4_500)
})
