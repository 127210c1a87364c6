import { expect, it } from 'vitest'
import { saying, startServer } from './started-server.ts'

it('examples/inspector.ts: shows the sessions to the administrator alone', { timeout: 90_000 }, async () => {
  const { send } = await startServer('examples/inspector.ts', { env: { ADMIN_KEY: 'the-key' } })
  await send('/chat/ada', saying('hello'))
  const look = (cookie: string, query = '') =>
    send(`/admin/sessions${query}`, { method: 'GET', headers: { cookie } })
  expect((await look('')).status).toBe(403)
  expect((await look('admin=another')).status).toBe(403)
  expect(await (await look('admin=the-key')).text()).toContain('<title>Session inspector</title>')
  const snapshot = (await (await look('a=b; admin=the-key', '?snapshot')).json()) as {
    readonly registries: readonly { readonly name: string; readonly idle: readonly unknown[] }[]
  }

  expect(snapshot.registries.map(({ name, idle }) => [name, idle.length])).toEqual([['chats', 1]])
})

it('examples/inspector.ts: refuses everyone without a key of its own', { timeout: 90_000 }, async () => {
  const { send } = await startServer('examples/inspector.ts', { env: { ADMIN_KEY: '' } })

  expect((await send('/admin/sessions', { method: 'GET', headers: { cookie: 'admin=' } })).status).toBe(403)
})
