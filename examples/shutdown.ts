import { createServer } from 'node:http'
import { isSessionRegistryError, SessionRegistry } from 'session-registry'

const sessions = new SessionRegistry<number[]>({
  create: () => [],
  archive: async (session) => console.log(`archived ${session.id}`),
})
const server = createServer(async (request, response) => {
  try {
    const visits = await sessions.run(request.url ?? '/', async ({ value }) => value.push(Date.now()))
    response.end(`visit ${visits}\n`)
  } catch (error) {
    // While the registry closes, runs are refused; an unhandled rejection would end the process.
    response.statusCode = isSessionRegistryError(error, 'ERR_SESSION_ID_INVALID') ? 400 : 503
    response.end()
  }
})

process.once('SIGTERM', async () => {
  server.close() // no new requests
  const { archived, failed } = await sessions.close({ deadlineMs: 5_000 })
  console.log(`${archived} archived, ${failed.length} failed`)
  process.exitCode = failed.length > 0 ? 1 : 0
})

server.listen(0, '127.0.0.1', () => console.log('listening', server.address()))
