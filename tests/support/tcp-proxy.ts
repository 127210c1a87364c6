import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Stands between a client and a server, and breaks their connections. */
export interface TcpProxy {
  readonly port: number
  /** Cuts every connection now; new ones are let through. */
  cut(): void
  /** Lets nothing of what the server answers through any more: what was asked is carried out. */
  swallowAnswers(): void
  /** Stops forwarding in both directions, without closing a connection. */
  goSilent(): void
}

/** Starts a proxy that is closed when the test has finished. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let [toServer, toClient] = [true, true]
  const listener = createServer({ noDelay: true }, (client) => {
    const server = createConnection({ port: target, host: '127.0.0.1', noDelay: true })
    for (const [socket, other] of [[client, server] as const, [server, client] as const]) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (chunk) => toServer && server.write(chunk))
    server.on('data', (chunk) => toClient && client.write(chunk))
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    listener.close()
  })
  return {
    port: (listener.address() as AddressInfo).port,
    cut,
    swallowAnswers: () => {
      toClient = false
    },
    goSilent: () => {
      toClient = false
      toServer = false
    },
  }
}
