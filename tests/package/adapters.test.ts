import { execFile } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = (tool: string) => join(root, 'node_modules', tool)

let folder = ''
/** The package as it was built, in a folder where there is nothing else to import. */
let alone = ''
/** The same with the frameworks beside it. */
let withPeers = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-registry-adapters-'))
  const built = join(folder, 'dist')
  await run(process.execPath, [bin('tsup/dist/cli-default.js'), '--silent', '--out-dir', built], {
    cwd: root,
  })
  alone = await project('alone', built, [])
  withPeers = await project('with-peers', built, ['@openai', 'ai', '@types', 'undici-types'])
}, 120_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

async function project(name: string, built: string, peers: readonly string[]): Promise<string> {
  const home = join(folder, name)
  const installed = join(home, 'node_modules', 'session-registry')
  await mkdir(installed, { recursive: true })
  await copyFile(join(root, 'package.json'), join(installed, 'package.json'))
  await cp(built, join(installed, 'dist'), { recursive: true })
  for (const peer of peers) await symlink(join(root, 'node_modules', peer), join(dirname(installed), peer))
  return home
}

const use = `
  const sessions = new SessionRegistry({ create: () => [] })
  await agentSession(sessions, 'ada').addItems([{ role: 'user', content: 'hello' }])
  const { loadChat, saveChat } = chatStore(sessions)
  const error = await saveChat({ chatId: '', messages: [] }).catch((error) => error)
  await agentSessionStore(new SessionRegistry()).append({ projectKey: 'a', sessionId: 'b' }, [{ type: 'user' }])
  const store = registryStore(new SessionRegistry())
  await new Promise((resolve) => store.set('ada', { cookie: {} }, resolve))
  if (!(error instanceof SessionRegistryError)) throw new Error('another class of errors')
  const data = new SessionRegistry()
  await sessionTurns(data)({ chatId: 5 }, () => sessionStorage(data).write('5', { count: 1 }))
  const channels = conversationStore(new SessionRegistry())
  await channels.set('C1', 'state')
  const read = [await loadChat('ada'), await sessionStorage(data).read('5'), await channels.get('C1')]
  console.log(JSON.stringify(read))`

const programs = {
  'main.mjs': `import { SessionRegistry, SessionRegistryError } from 'session-registry'
    import { chatStore } from 'session-registry/ai-sdk'
    import { agentSessionStore } from 'session-registry/claude-agent'
    import { registryStore } from 'session-registry/express-session'
    import { sessionStorage, sessionTurns } from 'session-registry/grammy'
    import { mcpTransports, stateHandles } from 'session-registry/mcp'
    import { agentSession } from 'session-registry/openai-agents'
    import { conversationStore } from 'session-registry/slack'
    ${use}`,
  'main.cjs': `const { SessionRegistry, SessionRegistryError } = require('session-registry')
    const { chatStore } = require('session-registry/ai-sdk')
    const { agentSessionStore } = require('session-registry/claude-agent')
    const { registryStore } = require('session-registry/express-session')
    const { sessionStorage, sessionTurns } = require('session-registry/grammy')
    const { mcpTransports, stateHandles } = require('session-registry/mcp')
    const { agentSession } = require('session-registry/openai-agents')
    const { conversationStore } = require('session-registry/slack')
    async function main() { ${use} }
    main()`,
}

it.each(Object.entries(programs))('adapters: work without their frameworks: %s', async (name, program) => {
  await writeFile(join(alone, name), program)
  const { stdout } = await run(process.execPath, [name], { cwd: alone })

  expect(stdout).toBe('[[{"role":"user","content":"hello"}],{"count":1},"state"]\n')
})

it('the inspector: shows registries of the other module format, by their names', async () => {
  const program = `import { createRequire } from 'node:module'
    import { SessionRegistry } from 'session-registry'
    const { inspector } = createRequire(import.meta.url)('session-registry/inspector')
    const chats = new SessionRegistry({ name: 'chats' })
    const inspect = inspector([chats], { authorize: () => true })
    for (let n = 0; n < 2_000; n += 1) chats.set(String(n), n)
    chats.delete('0')
    chats.inspect = () => { throw new Error('too many') }
    const response = await inspect(new Request('http://localhost/?snapshot'))
    const [{ name, idle, endsByReason }] = (await response.json()).registries
    console.log(name, idle.length, endsByReason)`
  await writeFile(join(alone, 'inspector.mjs'), program)
  const { stdout } = await run(process.execPath, ['inspector.mjs'], { cwd: alone })

  expect(stdout).toBe('chats 200 { deleted: 1 }\n')
})

const typed = `
  import type { AgentInputItem, Session } from '@openai/agents'
  import type { UIMessage } from 'ai'
  import { SessionRegistry } from 'session-registry'
  import { chatStore } from 'session-registry/ai-sdk'
  import { mcpTransports, stateHandles } from 'session-registry/mcp'
  import { agentSession } from 'session-registry/openai-agents'

  type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
  type Message = UIMessage<{ at: number }>
  const items = agentSession(new SessionRegistry<AgentInputItem[]>(), 7)
  const chats = chatStore(new SessionRegistry<Message[]>())
  export const isSession: Same<typeof items, Session> = true
  export const isMessages: Same<ReturnType<typeof chats.loadChat>, Promise<Message[]>> = true
  const { use } = stateHandles(new SessionRegistry<string[]>(), { prefix: 'a_', argument: 'a' })
  export const answer: Promise<number | object> = use(({ value }, { a }: { a: string }) => value.push(a))({ a: '' }, {})
  // @ts-expect-error it needs a server, a transport and a timeout
  mcpTransports({})
  // @ts-expect-error a registry of something else
  agentSession(new SessionRegistry<string[]>(), 'a')
  // @ts-expect-error a registry of something else
  chatStore(new SessionRegistry<string[]>())
`

it('adapters: have the types of their frameworks, in ESM and in CJS', async () => {
  const files = ['typed.mts', 'typed.cts']
  for (const file of files) await writeFile(join(withPeers, file), typed)
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext']
  const compiled = run(process.execPath, [bin('typescript/bin/tsc'), ...options, ...files], {
    cwd: withPeers,
  })
  const complaints = compiled.then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )

  expect(await complaints).toBe('')
}, 60_000)
