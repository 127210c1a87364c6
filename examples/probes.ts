import { createServer } from 'node:http'
import { SessionRegistry } from 'session-registry'

export const sessions = new SessionRegistry<string[]>({ create: () => [], maxSessions: 10_000 })

export const probes = createServer(async (request, response) => {
  const { live, ready, why = 'ok' } = await sessions.health() // the same on Redis
  const isFine = request.url === '/readyz' ? ready : live
  response.writeHead(isFine ? 200 : 503).end(isFine ? 'ok' : why)
})
