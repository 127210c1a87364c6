import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { AxeResults } from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { findChromium } from '../../tests/support/chromium.ts'
import { pages } from '../pages.ts'
import { deadLinks } from './built-links.ts'
import { serve } from './server.ts'

// Checks the site that `npm run docs` has built: links and anchors, and in a browser without a network the
// accessibility of the start page and the search. `--screenshots <folder>` keeps pictures of some pages.
const { values } = parseArgs({ options: { screenshots: { type: 'string' } } })
/** Pages of the reference that stand for the others: a class, options, functions and a type. */
const referencePages = [
  'api/',
  'api/session-registry/',
  'api/session-registry/classes/SessionRegistry',
  'api/session-registry/interfaces/SessionRegistryOptions',
  'api/session-registry/langchain/functions/messageHistories',
  'api/session-registry/type-aliases/SessionErrorCode',
]
/** What readers may search for, each with a page that must be among the results. */
const searches: Readonly<Record<string, RegExp>> = {
  mutex: /\/turns/,
  'per-key lock': /\/turns|\/start/,
  'survive restart': /\/durability|\/start/,
  'graceful shutdown': /\/operating/,
  'idle timeout': /\/sessions|\/options/,
  TTL: /\/sessions|\/redis|\/start|\/moving/,
  'memory leak': /\/start|\/moving|\/operating/,
  Valkey: /\/redis/,
  Postgres: /\/durability/,
  'Next.js': /\/frameworks\/nextjs/,
  MCP: /\/frameworks\/mcp/,
  Prometheus: /\/recipes\/prometheus/,
  maxSessions: /\/options|\/limits-and-owners/,
  ERR_SESSION_BUSY: /\/errors/,
}
const dist = fileURLToPath(new URL('../../docs/.vitepress/dist', import.meta.url))

const dead = await deadLinks(dist)
for (const [link, pages] of dead) console.error(`dead: ${link} in ${pages.slice(0, 3).join(', ')}`)
if (dead.size > 0) process.exitCode = 1
else console.log('no dead link, no dead anchor')
if (findChromium()) await checkInBrowser()

async function checkInBrowser(): Promise<void> {
  const { url, close } = await serve(dist)
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  try {
    const page = await openOffline(browser, url)
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme })
      for (const path of ['/', '/api/session-registry/classes/SessionRegistry'])
        await checkAccessibility(page, path)
    }
    await checkSearch(page)
    await checkWidth(page)
    if (values.screenshots !== undefined) await takeScreenshots(page, values.screenshots)
  } finally {
    await browser.close()
    close()
  }
}

/** Opens a page that reaches nothing but the server of the site; any other request fails the check. */
async function openOffline(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ baseURL: url })
  const page = await context.newPage()
  await context.route('**/*', (route) => {
    if (route.request().url().startsWith(url)) return route.continue()
    console.error(`the site asked for ${route.request().url()}`)
    process.exitCode = 1
    return route.abort()
  })
  page.on('pageerror', (error) => {
    console.error(error)
    process.exitCode = 1
  })
  return page
}

async function checkAccessibility(page: Page, path: string): Promise<void> {
  await page.goto(path, { waitUntil: 'networkidle' })
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
  await page.evaluate(await readFile(axe, 'utf8'))
  const { violations, passes } = (await page.evaluate('axe.run()')) as AxeResults
  for (const { id, help, nodes } of violations) {
    console.error(
      `${path}: ${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `  ${html}\n  ${failureSummary}`).join('\n')}`,
    )
  }
  assert.ok(passes.length > 10, `axe-core checked ${passes.length} rules`)
  if (violations.length > 0) process.exitCode = 1
  else console.log(`no violation on ${path}`)
}

async function checkSearch(page: Page): Promise<void> {
  for (const [text, expected] of Object.entries(searches)) {
    await page.goto('/', { waitUntil: 'networkidle' })
    await page.keyboard.press('Control+k')
    await page.fill('#localsearch-input', text)
    const results = page.locator('#localsearch-list a.result')
    await results.first().waitFor({ timeout: 10_000 })
    const links = await results.evaluateAll((found) => found.map((one) => one.getAttribute('href') ?? ''))
    if (links.some((link) => expected.test(link))) continue
    console.error(`searching for ${text} found ${links.join(', ')}`)
    process.exitCode = 1
  }
  console.log('the search finds pages without a network')
}

/** On a phone, code and tables scroll by themselves: no page is wider than the screen. */
async function checkWidth(page: Page): Promise<void> {
  const width = 390
  await page.setViewportSize({ width, height: 844 })
  const written = [...pages.map((path) => path.slice('docs/'.length, -'.md'.length)), ...referencePages]
  for (const path of written) {
    await page.goto(`/${path === 'index' ? '' : path}`)
    const found = (await page.evaluate('document.documentElement.scrollWidth')) as number
    if (found <= width) continue
    console.error(`${path} is ${found} pixels wide`)
    process.exitCode = 1
  }
  console.log(`${written.length} pages fit ${width} pixels`)
}

async function takeScreenshots(page: Page, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await page.emulateMedia({ colorScheme: 'light' })
  const paths = { start: '/', class: '/api/session-registry/classes/SessionRegistry', options: '/options' }
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(path, { waitUntil: 'networkidle' })
      await page.screenshot({ path: join(folder, `${name}-${width}.png`), fullPage: name === 'start' })
    }
  }
}
