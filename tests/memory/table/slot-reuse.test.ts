import { SessionRegistry } from 'session-registry'
import { expect, it } from 'vitest'

// Sessions are numbered places that are used again. Whoever looks a value up by its number after listeners
// were told may find nothing there, or what belongs to another visitor.
it('gives the value that it made, though a listener has ended the session and begun another', () => {
  const registry = new SessionRegistry<string>({ timeoutMs: 1_000 })
  registry.once('created', ({ id }) => {
    registry.delete(id)
    registry.set('other', 'of somebody else')
  })

  expect(registry.getOrCreate('a', () => 'of a')).toBe('of a')
  expect(registry.get('a')).toBeUndefined()
  expect(registry.get('other')).toBe('of somebody else')
})

it('gives the value that the factory has put there, though a listener has replaced it', () => {
  const registry = new SessionRegistry<string>({ timeoutMs: 1_000 })
  registry.on('created', ({ id, value }) => {
    if (value === 'first') registry.delete(id)
    if (value === 'first') registry.set('other', 'of somebody else')
  })
  const value = registry.getOrCreate('a', (id) => {
    registry.set(id, 'first')
    return 'second'
  })

  expect(value).toBe('second')
  expect(registry.get('other')).toBe('of somebody else')
})

it('shows a session that has ended as it was, though its place belongs to another one', () => {
  const registry = new SessionRegistry<string>({ timeoutMs: 1_000 })
  registry.set('a', 'of a')
  const session = registry.peek('a')
  registry.delete('a')
  registry.set('b', 'of b', { timeoutMs: 77 })
  if (session === undefined) throw new Error('there was no session')
  session.value = 'changed afterwards'
  session.timeoutMs = 5

  expect([session.id, session.value, session.timeoutMs]).toEqual(['a', 'changed afterwards', 1_000])
  expect(registry.get('b')).toBe('of b')
  expect(registry.peek('b')?.timeoutMs).toBe(77)
})

it('passes over a session that has ended during a walk, though its place belongs to another one', () => {
  const registry = new SessionRegistry<string>({ timeoutMs: 1_000 })
  for (const id of ['a', 'b', 'c']) registry.set(id, id)
  const seen: string[] = []
  for (const id of registry.keys()) {
    seen.push(id)
    if (id !== 'a') continue
    registry.delete('b')
    registry.set('d', 'd')
  }

  expect(seen).toEqual(['a', 'c'])
})
