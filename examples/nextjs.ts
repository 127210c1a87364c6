import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Calls the route handlers as Next.js does.
const folder = await mkdtemp(join(tmpdir(), 'nextjs-sessions-'))
Object.assign(process.env, { SESSIONS_FOLDER: folder })
const { GET, POST } = await import('./nextjs/route.ts')
const { sessions } = await import('./nextjs/sessions.ts')

const context = (id: string) => ({ params: Promise.resolve({ id }) })
const url = 'http://localhost/chat/ada'
const post = (message: string) =>
  POST(new Request(url, { method: 'POST', body: JSON.stringify({ message }) }), context('ada'))

const texts = ['hello there', 'and again'].map(async (message) => (await post(message)).text())
console.log(await Promise.all(texts))
console.log(await (await GET(new Request(url), context('ada'))).json())
console.log((await GET(new Request(url), context('ben'))).status)

await sessions.close()
await rm(folder, { recursive: true })
