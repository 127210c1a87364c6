import { createServer, type IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { isSessionRegistryError, SessionRegistry } from 'session-registry'
import { fileStore } from 'session-registry/stores/file'

const sessions = new SessionRegistry<number[]>({ create: () => [], store: fileStore('./sessions') })

const server = createServer(async (request, response) => {
  try {
    const visits = await sessions.run(sessionIdOf(request), async ({ value }, signal) => {
      await wait(200, undefined, { signal }) // in place of your model
      return value.push(Date.now())
    })
    response.end(`visit ${visits}\n`)
  } catch (error) {
    response.statusCode = isSessionRegistryError(error) ? error.statusCode : 500
    response.end()
  }
})

process.once('SIGTERM', async () => {
  const answered = new Promise((resolve) => server.close(resolve)) // no new connections
  // `sessions.close()` refuses requests that wait for their turn, so let the server answer them first.
  await Promise.race([answered, wait(10_000, undefined, { ref: false })])
  const { ended, failed } = await sessions.close({ deadlineMs: 5_000 })
  console.log(`${ended} ended, ${failed.length} failed`)
  process.exitCode = failed.length > 0 ? 1 : 0
})

server.listen(0, '127.0.0.1', () => console.log('listening', server.address()))

/** Returns the random id that your log-in has put into the cookie `sid`; else '', which is refused. */
function sessionIdOf({ headers }: IncomingMessage): string {
  return /(?:^|; )sid=([\w-]{36})(?:;|$)/.exec(headers.cookie ?? '')?.[1] ?? ''
}
