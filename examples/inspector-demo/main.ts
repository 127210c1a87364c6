import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import { SessionRegistry } from 'session-registry'
import { inspector, nodeHandler } from 'session-registry/inspector'

/**
 * A file for a picture of the page: `npm run demo:inspector -- docs/images/inspector.png` takes that of the
 * documents. Without one, the page is served until the process is stopped.
 */
const picture = process.argv[2]

let isStoreAway = false
const chats = new SessionRegistry<string[]>({
  name: 'chats',
  create: () => [],
  timeoutMs: 12_000,
  intervalMs: 1_000,
  archive: async () => {
    await wait(200)
    if (isStoreAway) throw Object.assign(new Error('the database is away'), { code: 'ECONNREFUSED' })
  },
})
chats.on('error', () => {})

const inspect = inspector([chats], {
  // A page of another site whose name leads here has another host.
  authorize: ({ url }) => new URL(url).hostname === 'localhost',
  endSessions: true,
})
const server = createServer(nodeHandler(inspect)).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://localhost:${(server.address() as AddressInfo).port}/`
console.log(url)

const traffic = setInterval(() => {
  const id = `visitor-${Math.floor(Math.random() * 60)}`
  const answerMs = Math.random() < 0.1 ? 9_000 : 300
  chats.run(id, () => wait(answerMs)).catch(() => {})
  // A visitor with little patience asks again.
  if (answerMs > 1_000) chats.run(id, () => wait(300)).catch(() => {})
  if (Math.random() < 0.02) chats.hold(id, { maxMs: 20_000 })
  if (Math.random() < 0.05) chats.delete(id)
  isStoreAway = Math.floor(performance.now() / 4_000) % 4 === 3
}, 150)

if (picture !== undefined) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  const page = await browser.newPage({ viewport: { width: 940, height: 600 } })
  await page.goto(url)
  await wait(20_000)
  await page.screenshot({ path: picture })
  await browser.close()
  clearInterval(traffic)
  server.closeAllConnections()
  server.close()
  await chats.close({ deadlineMs: 1_000 })
}
