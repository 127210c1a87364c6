import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { AxeResults } from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { SessionRegistry } from 'session-registry'
import { nodeHandler } from 'session-registry/inspector'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { deferred } from '../support/deferred.ts'
import { inspectorOf } from '../support/inspector-requests.ts'

// A browser on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
const soon = { timeout: 20_000, interval: 50 }

describe.skipIf(!findChromium())('the page in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  })
  afterAll(() => browser.close())

  /** Opens the page of registries. Any complaint of the browser, and any request elsewhere, is recorded. */
  async function open(registries: SessionRegistry<string[]>[], path = '/admin/sessions', endSessions = true) {
    const { handler } = inspectorOf(registries, {
      endSessions,
      authorize: ({ url }) => !url.includes('token') || url.includes('token=t'),
    })
    const server: Server = createServer(nodeHandler(handler)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    const complaints: string[] = []
    const asked: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => asked.push(request.url()))
    const stop = () => {
      server.closeAllConnections()
      server.close()
    }
    onTestFinished(async () => {
      await page.close()
      stop()
    })
    const url = `http://127.0.0.1:${port}${path}`
    await page.goto(url)
    await page.locator('h2').first().waitFor()
    return { page, complaints, asked, url, stop }
  }

  const statusOf = (page: Page) => page.locator('#status').textContent()

  it('has no violation that axe finds, and fits the screen: light and dark, 1280 and 390 pixels', async () => {
    const busy = makeBusyRegistry('chats')
    const { page, complaints } = await open([busy.registry, new SessionRegistry({ name: 'empty' })])
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    await page.getByText('ECONNREFUSED').first().waitFor()
    await page.evaluate(axe)
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height: 800 })
        const { violations, passes } = (await page.evaluate('axe.run()')) as AxeResults
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
        expect(passes.length).toBeGreaterThan(20)
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
      }
    }
    expect(complaints).toEqual([])
    busy.settle()
  })

  it('is live: shows what changes, and asks no one but its own address', async () => {
    const registry = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    const { page, complaints, asked, url } = await open([registry])
    expect(await page.locator('.tiles dd').first().textContent()).toBe('0')
    registry.set('ada', [])
    registry.set('ben', [])
    registry.delete('ben')
    const row = page.locator('tr', { hasText: registry.ref('ada') })
    await row.waitFor()
    await page
      .locator('tr', { hasText: registry.ref('ben') })
      .getByText('deleted')
      .waitFor()

    expect(await page.locator('.tiles dd').first().textContent()).toBe('1')
    expect(await statusOf(page)).toBe('Live')
    expect(await page.content()).not.toMatch(/ada|ben/)
    expect(new Set(asked)).toEqual(new Set([url, `${url}?snapshot=`]))
    expect(complaints).toEqual([])
  })

  it('shows names and reasons as text, whatever they contain', async () => {
    const name = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>'
    const registry = new SessionRegistry<string[]>({ name, create: () => [] })
    const { page } = await open([registry])

    expect(await page.locator('h2').textContent()).toBe(name)
    expect(await page.title()).toBe('Session inspector')
    expect(await page.locator('main img, main script').count()).toBe(0)
  })

  it.each(['/', '/admin/sessions/', '/admin/sessions?token=t'])('works under %s', async (path) => {
    const registry = new SessionRegistry<string[]>({ create: () => [] })
    const { page } = await open([registry], path)
    registry.set('ada', [])

    await page.locator('tr', { hasText: registry.ref('ada') }).waitFor()
  })

  it('ends a session by the keyboard, after a question, and keeps the focus from poll to poll', async () => {
    const registry = new SessionRegistry<string[]>({ name: 'chats', create: () => [] })
    registry.set('ada', [])
    registry.set('ben', [])
    const { page } = await open([registry])
    const questions: string[] = []
    let answer = false
    page.on('dialog', async (dialog) => {
      questions.push(dialog.message())
      await (answer ? dialog.accept() : dialog.dismiss())
    })
    const button = page.getByRole('button', { name: `End session ${registry.ref('ben')}` })
    const focused = () => page.evaluate('document.activeElement?.getAttribute("aria-label")')
    const label = `End session ${registry.ref('ben')}`
    for (let tabs = 0; (await focused()) !== label; tabs += 1) {
      expect(tabs).toBeLessThan(20)
      await page.keyboard.press('Tab')
    }
    const polled = page.waitForResponse(/snapshot/)
    registry.set('ada', [])
    await polled
    await page.keyboard.press('Enter')
    await expect.poll(() => questions, soon).toHaveLength(1)
    expect(registry.has('ben')).toBe(true)
    expect(await focused()).toBe(label)
    answer = true
    await page.keyboard.press('Enter')
    await expect.poll(() => registry.has('ben'), soon).toBe(false)

    expect(questions[1]).toBe(`End session ${registry.ref('ben')} of chats? It is deleted, and not archived.`)
    await expect.poll(() => button.count(), soon).toBe(0)
    expect(registry.has('ada')).toBe(true)
  })

  it('has no button to end a session where that is off', async () => {
    const registry = new SessionRegistry<string[]>({ create: () => [] })
    registry.set('ada', [])
    const { page } = await open([registry], '/', false)
    await page.locator('tr', { hasText: registry.ref('ada') }).waitFor()

    expect(await page.getByRole('button').allTextContents()).toEqual(['Pause'])
  })

  it('can be paused, and says when it is not live', async () => {
    const registry = new SessionRegistry<string[]>({ create: () => [] })
    const { page, asked, stop } = await open([registry])
    await page.getByRole('button', { name: 'Pause' }).click()
    await expect.poll(() => statusOf(page), soon).toBe('Paused')
    const before = asked.length
    await page.waitForTimeout(3_000)
    expect(asked.length).toBe(before)
    await page.getByRole('button', { name: 'Resume' }).click()
    await expect.poll(() => statusOf(page), soon).toBe('Live')
    stop()

    await expect.poll(() => statusOf(page), soon).toBe('Not live: the server does not answer')
  })
})

/** A registry with something in every list. */
function makeBusyRegistry(name: string) {
  const turn = deferred<void>()
  const registry = new SessionRegistry<string[]>({
    name,
    create: () => [],
    archiveAttempts: 1,
    archive: () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' })),
  })
  registry.on('error', () => {})
  for (let n = 0; n < 30; n += 1) registry.set(`a${n}`, [])
  for (let n = 0; n < 3; n += 1) void registry.run('a1', () => turn.promise)
  registry.hold('a2')
  registry.set('expired', [], { timeoutMs: 1 })
  setTimeout(() => {
    registry.sweep()
    registry.delete('a3')
  }, 50)
  return { registry, settle: () => turn.resolve() }
}
