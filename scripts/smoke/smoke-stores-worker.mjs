import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import process from 'node:process'
import { fileStore } from 'session-registry/stores/file'
import { sqliteStore } from 'session-registry/stores/sqlite'

/** One process of several that count up in one session, and write down each count that the store took. */
const [kind, path, journal, rounds] = process.argv.slice(2)
const store = kind === 'file' ? fileStore(path) : sqliteStore(path)
const { signal } = new AbortController()

for (let round = 0; round < Number(rounds); round += 1) {
  while (!(await increment())) {}
}
await store.close?.()

async function increment() {
  const found = await store.get('ada', { signal })
  const n = found === undefined ? 1 : JSON.parse(found.text).n + 1
  const text = JSON.stringify({ n, filler: String(n % 10).repeat(30_000) })
  const session = { id: 'ada', text, revision: randomUUID(), createdAt: 1, lastActiveAt: Date.now() }
  const isWritten = await store.put(session, { signal, replaces: found?.revision ?? null })
  if (isWritten) appendFileSync(journal, `${n}\n`)
  return isWritten
}
