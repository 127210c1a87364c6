import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import { baskets } from './mcp/basket-server.ts'
import { handler, serveMcp, transports } from './mcp/http-app.ts'

const app = express()
// In place of `requireBearerAuth`, which sets the same.
app.use((request, _response, next) => {
  const person = request.headers.authorization
  Object.assign(request, { auth: { token: '', clientId: 'app', scopes: [], extra: { sub: person } } })
  next()
})
serveMcp(app)
const server = app.listen(0, '127.0.0.1', () => {
  console.log('listening', server.address())
})

process.once('SIGTERM', async () => {
  const answered = new Promise((resolve) => server.close(resolve)) // no new connections
  // Not after `answered`, which waits for the streams that clients of 2025 keep open.
  await transports.close({ deadlineMs: 10_000 }) // their calls have so long
  server.closeIdleConnections() // or each stays for about 5 s
  await Promise.race([answered, wait(5_000, undefined, { ref: false })]) // calls of 2026 have so long
  await handler.close() // ends those that remain, and their streams
  // Last, since calls use the baskets.
  const { ended, failed } = await baskets.close({ deadlineMs: 5_000 })
  server.closeAllConnections()
  console.log(`${ended} ended, ${failed.length} failed`)
  process.exitCode = failed.length > 0 ? 1 : 0
})
