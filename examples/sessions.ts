import { SessionRegistry } from 'session-registry'

interface Cart {
  readonly items: string[]
}

const carts = new SessionRegistry<Cart>({
  timeoutMs: 20 * 60_000, // idle timeout
  maxAgeMs: 24 * 60 * 60_000, // absolute timeout
  create: () => ({ items: [] }),
})

carts.getOrCreate('ada').items.push('tea') // activity
console.log(carts.get('ada'), carts.get('bob')) // activity; creates nothing
console.log(carts.has('ada'), carts.has('bob')) // no activity

const session = carts.peek('ada') // no activity: the session with its times
if (session !== undefined) {
  console.log(session.timeoutMs, session.idleMs < 1_000)
  session.timeoutMs = 60 * 60_000 // this one may be idle for an hour
}

for (const [id, { items }] of carts) console.log(id, items)
console.log(carts.delete('ada'), carts.size)
