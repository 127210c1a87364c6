import { NearCache } from '../../src/redis/storage/near-cache.ts'
import { newToken } from '../../src/redis/storage/tokens.ts'

/**
 * Run in a process of its own with a small heap: visitors with empty values arrive, and no end is reported.
 */
const visitors = 500_000
const cache = new NearCache()

for (let index = 0; index < visitors; index += 1) {
  // Flat strings, like those that a client reads from its socket.
  const name = Buffer.from(newToken()).toString()
  cache.set(`visitor-${index}`, { incarnation: name, version: name, text: Buffer.from('[]').toString() })
}
const last = cache.get(`visitor-${visitors - 1}`)
console.log(JSON.stringify({ last: last?.text, first: cache.get('visitor-0') ?? 'forgotten' }))
