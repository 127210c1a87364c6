import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { SessionRegistry } from 'session-registry'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'

const server = createServer()
const sockets = new Server(server)

// A visitor is online from the first tab until a minute after the last one has gone.
const visitors = new SessionRegistry<{ since: number }>({
  timeoutMs: 2_000, // a minute: 60_000
  intervalMs: 100, // 5_000
  create: () => ({ since: Date.now() }),
})
visitors.on('created', ({ id }) => sockets.emit('online', id))
visitors.on('ended', ({ id }) => sockets.emit('offline', id))

sockets.on('connection', async (socket) => {
  const { visitor } = socket.handshake.auth // after you have checked who it is
  // Each tab holds the session: a session that is held does not expire.
  const hold = await visitors.acquire(visitor, { maxMs: 120_000 })
  socket.conn.on('packet', () => hold.renew()) // every heartbeat
  socket.once('disconnect', () => hold.release())
  if (socket.disconnected) hold.release()
  // The session was deleted: the visitor has logged out, in whichever tab.
  hold.signal.addEventListener('abort', () => socket.disconnect(true))
  socket.on('log out', () => visitors.delete(visitor))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

const { port } = server.address() as AddressInfo
const openTab = async (visitor: string) => {
  const tab = io(`http://127.0.0.1:${port}`, { auth: { visitor }, forceNew: true })
  await new Promise<void>((resolve) => tab.once('connect', resolve))
  return tab
}

const ben = await openTab('ben')
ben.on('online', (visitor) => console.log(`${visitor} is online`))
ben.on('offline', (visitor) => console.log(`${visitor} is offline`))
const offline = () => new Promise((resolve) => ben.once('offline', resolve))

const [first, second] = [await openTab('ada'), await openTab('ada')]
first.close()
await wait(3_000)
console.log('one tab is left')
second.close()
await wait(200)
const third = await openTab('ada')
await wait(3_000)
console.log('she has only reloaded the page')
third.close()
await offline()

const [fourth, fifth] = [await openTab('ada'), await openTab('ada')]
const gone = [offline(), new Promise((resolve) => fifth.once('disconnect', resolve))]
fourth.emit('log out')
await Promise.all(gone)
console.log('and logged out in each tab')

ben.close()
await sockets.close()
await visitors.close()
