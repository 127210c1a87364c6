import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { SessionRegistry } from 'session-registry'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'

const server = createServer()
const sockets = new Server(server)

// #region server
const chats = new SessionRegistry<string[]>({ create: () => [] })

sockets.on('connection', async (socket) => {
  const { visitor } = socket.handshake.auth // after you have checked who it is
  socket.on('say', async (text: string) => {
    // A new message stops the answer that is under way, and is handled after that has ended.
    const parts = chats.stream(visitor, (session, signal) => answer(session.value, text, signal), {
      whenBusy: 'interrupt',
    })
    const leave = () => void parts.return(undefined)
    socket.once('disconnect', leave)
    try {
      for await (const part of parts) socket.emit('part', part)
      socket.emit('done')
    } catch {
      socket.emit('stopped')
    }
    socket.off('disconnect', leave)
  })

  // The session does not expire while the socket is open, however long it is silent. This waits, so it comes
  // after the listeners: an event without one is lost.
  const hold = await chats.acquire(visitor, { maxMs: 120_000 })
  socket.conn.on('packet', () => hold.renew()) // every heartbeat
  socket.once('disconnect', () => hold.release())
  if (socket.disconnected) hold.release()
})

async function* answer(history: string[], text: string, signal: AbortSignal) {
  history.push(text)
  let reply = ''
  try {
    for await (const part of askModel(text, signal)) {
      reply += part
      yield part
    }
  } finally {
    history.push(reply) // only a part of it if it was stopped
  }
}
// #endregion server

/** In place of your model: to "everything" it has no end. */
async function* askModel(text: string, signal: AbortSignal) {
  yield 'Well, '
  if (text === 'everything') await wait(600_000, undefined, { signal })
  yield text
}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const ada = io(`http://127.0.0.1:${port}`, { auth: { visitor: 'ada' } })
for (const event of ['part', 'done', 'stopped']) ada.on(event, (...parts) => console.log(event, ...parts))

ada.once('part', () => ada.emit('say', 'briefly')) // in the middle of the first answer
ada.emit('say', 'everything')
await new Promise((resolve) => ada.once('done', resolve))
console.log(chats.peek('ada')?.held, chats.get('ada'))

ada.emit('say', 'everything')
await new Promise((resolve) => ada.once('part', resolve))
ada.close() // the visitor leaves
while (chats.peek('ada')?.held) await wait(10)
console.log(chats.get('ada')?.slice(4))

await sockets.close()
await chats.close()
