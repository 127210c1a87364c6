import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { makeIds } from '../session-ids.ts'

// The generator of requests, in a process of its own. A message `{ port, requests }` starts a burst over
// connections that are kept open; its end is answered.

const connections = 16
const ids = makeIds(1_000)
const headEnd = '\r\n\r\n'

export interface Burst {
  readonly port: number
  readonly requests: number
}

interface Connection {
  readonly socket: Socket
  received: string
  onResponse: () => void
}

const byPort = new Map<number, Connection[]>()

async function open(port: number): Promise<Connection> {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true).setEncoding('latin1')
  const connection: Connection = { socket, received: '', onResponse: () => {} }
  socket.on('data', (text) => {
    connection.received += text
    if (!isComplete(connection.received)) return
    connection.received = ''
    connection.onResponse()
  })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return connection
}

/** Checks the only response on its way. */
function isComplete(received: string): boolean {
  const headLength = received.indexOf(headEnd)
  if (headLength < 0) return false
  if (!received.startsWith('HTTP/1.1 200')) throw new Error('Expected a response with status 200')
  const length = /content-length: (\d+)/i.exec(received)
  return received.length === headLength + headEnd.length + Number(length?.[1])
}

async function load({ port, requests }: Burst): Promise<void> {
  let all = byPort.get(port)
  if (all === undefined) {
    all = await Promise.all(Array.from({ length: connections }, () => open(port)))
    byPort.set(port, all)
  }
  let started = 0
  let finished = 0
  await new Promise<void>((resolve) => {
    for (const connection of all) {
      const ask = () => {
        if (started === requests) return
        started += 1
        const id = ids[(started * 7_919) % ids.length]
        connection.socket.write(`GET /visit/${id} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
      }
      connection.onResponse = () => {
        finished += 1
        if (finished === requests) resolve()
        else ask()
      }
      ask()
    }
  })
}

process.on('message', async (burst: Burst) => {
  await load(burst)
  process.send?.('done')
})
process.on('disconnect', () => process.exit(0))
