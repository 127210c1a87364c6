import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'

/** Imports new copies of the modules, as a hot reload does. */
async function load() {
  vi.resetModules()
  return {
    ...(await import('../../examples/nextjs/route.ts')),
    ...(await import('../../examples/nextjs/sessions.ts')),
  }
}

const folder = mkdtempSync(join(tmpdir(), 'session-registry-test-'))
vi.stubEnv('SESSIONS_FOLDER', folder)
afterEach(async () => {
  await (await load()).sessions.close()
})
afterAll(() => rmSync(folder, { recursive: true }))

const context = (id: string) => ({ params: Promise.resolve({ id }) })
const request = (message: string) =>
  new Request('http://localhost/chat', { method: 'POST', body: JSON.stringify({ message }) })

describe('examples/nextjs', () => {
  it('shares one registry between copies of the module and of the library', async () => {
    const [first, second] = [await load(), await load()]
    await (await first.POST(request('hello'), context('ada'))).text()

    expect(second.POST).not.toBe(first.POST)
    expect(second.sessions).toBe(first.sessions)
    expect(await (await second.GET(request('-'), context('ada'))).json()).toHaveLength(2)
  })

  it('keeps what was said to a visitor who leaves, and begins the next turn at once', async () => {
    const { POST, GET } = await load()
    const reader = (await POST(request('word '.repeat(1_000)), context('ben'))).body?.getReader()
    await reader?.read()
    await reader?.cancel()
    expect(await (await POST(request('bye'), context('ben'))).text()).toBe('You said: bye')
    const history = (await (await GET(request('-'), context('ben'))).json()) as { text: string }[]
    const texts = history.map(({ text }) => text)

    expect(texts[1]).toMatch(/^You said: (word )*$/)
    expect(texts[1]?.length).toBeLessThan(5_000)
    expect(texts.slice(2)).toEqual(['bye', 'You said: bye'])
  })

  it('answers with the status and the code of an error', async () => {
    const { POST, GET } = await load()
    for (const respond of [POST, GET]) {
      const response = await respond(request('hello'), context('x'.repeat(1_100)))
      expect(response.status).toBe(400)
      expect(await response.json()).toEqual({ error: 'ERR_SESSION_ID_INVALID' })
    }
  })
})
