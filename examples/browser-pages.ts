import { setTimeout as wait } from 'node:timers/promises'
import { chromium, type Page } from 'playwright-core'
import { SessionRegistry } from 'session-registry'

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium', // Debian's package `chromium`
  args: ['--no-sandbox'], // only where the process runs as root, as in a container
})
const openPages = () => browser.contexts().length

const pages = new SessionRegistry<Page>({
  maxSessions: 2, // never more pages than that
  timeoutMs: 3_000,
  intervalMs: 100,
  create: async (id) => {
    const page = await browser.newPage() // with cookies and storage of its own
    // A page that crashes takes its session along.
    page.once('crash', () => pages.peek(id)?.value === page && pages.delete(id))
    return page
  },
  dispose: (page) => page.close(),
})
pages.on('ended', ({ id }, reason) => console.log(`${id}: ${reason}, ${openPages()} open`))

/** What an agent does with its page, turn by turn. */
function note(id: string, text: string): Promise<string> {
  return pages.run(id, ({ value: page }) => page.evaluate(`document.title += ${JSON.stringify(`${text};`)}`))
}

await note('ada', 'one')
console.log('ada has', await note('ada', 'two')) // one;two;
console.log('ben has', await note('ben', 'three'))
console.log('cleo has', await note('cleo', 'four')) // at the cap: Ada's page is closed first

while (pages.size + pages.stats().disposing > 0) await wait(100)
console.log(`all were idle, ${openPages()} open`)

console.log('ada has', await note('ada', 'five'))
await pages.close()
await browser.close()
