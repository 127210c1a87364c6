import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net'
import { RequestReader } from './request-reader.ts'

interface Link {
  readonly client: Socket
  readonly server: Socket
}

/**
 * A proxy between clients and a Redis, which counts the traffic and simulates the faults of networks.
 */
export class RedisProxy {
  /** Commands that clients sent, in capitals, in the order of their arrival. */
  readonly commands: string[] = []
  /** The number of broken connections. */
  cuts = 0
  bytesToServer = 0
  bytesToClient = 0
  /** Bytes of dropped replies, whose commands were executed. 0 again after `heal`. */
  bytesSwallowed = 0
  #target: { readonly host: string; readonly port: number }
  readonly #listener: Server
  readonly #links = new Set<Link>()
  #mode: 'open' | 'silent' | 'holding' | 'deaf' | 'refusing' = 'open'
  /** Delayed replies with their connections. */
  #held: (() => void)[] = []
  #cutter: NodeJS.Timeout | undefined

  private constructor(url: string) {
    this.#target = addressOf(url)
    this.#listener = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  static async start(url: string): Promise<RedisProxy> {
    const proxy = new RedisProxy(url)
    proxy.#listener.listen(0, '127.0.0.1')
    await once(proxy.#listener, 'listening')
    return proxy
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`
  }

  get connections(): number {
    return this.#links.size
  }

  /** Resets the counts. */
  reset(): void {
    this.commands.length = 0
    this.bytesToServer = 0
    this.bytesToClient = 0
  }

  /**
   * Sends new connections to another server from now on, like a name after a failover; open ones stay.
   */
  pointTo(url: string): void {
    this.#target = addressOf(url)
  }

  /** Breaks every connection now, and accepts new ones. */
  cut(): void {
    this.cuts += this.#links.size
    for (const { client, server } of this.#links) {
      client.destroy()
      server.destroy()
    }
    this.#links.clear()
  }

  cutEvery(ms: number): void {
    clearInterval(this.#cutter)
    this.#cutter = setInterval(() => this.cut(), ms)
  }

  /** Passes requests and drops their replies: the worst moment to lose a connection. */
  swallowAnswers(): void {
    this.#mode = 'silent'
  }

  /** Passes requests and delays their replies until they are released. */
  holdAnswers(): void {
    this.#mode = 'holding'
  }

  releaseAnswers(): void {
    this.#mode = 'open'
    for (const send of this.#held.splice(0)) send()
  }

  /** The number of delayed pieces of replies. */
  get held(): number {
    return this.#held.length
  }

  /** Drops everything silently, like a cable that was pulled. */
  goDeaf(): void {
    this.#mode = 'deaf'
  }

  /** Breaks every connection and accepts none, like a server that is down. */
  refuse(): void {
    this.#mode = 'refusing'
    this.cut()
  }

  /** Ends all faults. Dropped replies stay lost, so connections that missed one are broken. */
  heal(): void {
    clearInterval(this.#cutter)
    const wasOpen = this.#mode === 'open'
    this.#mode = 'open'
    this.bytesSwallowed = 0
    if (!wasOpen) this.cut()
  }

  async close(): Promise<void> {
    clearInterval(this.#cutter)
    this.cut()
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    await closed
  }

  #accept(client: Socket): void {
    if (this.#mode === 'refusing') {
      client.destroy()
      return
    }
    const server = createConnection({ ...this.#target, noDelay: true })
    const link = { client, server }
    this.#links.add(link)
    const end = () => {
      client.destroy()
      server.destroy()
      this.#links.delete(link)
    }
    for (const socket of [client, server]) {
      socket.on('error', end)
      socket.on('close', end)
    }
    const requests = new RequestReader((name) => this.commands.push(name))
    client.on('data', (chunk: Buffer) => {
      if (this.#mode === 'deaf') return
      this.bytesToServer += chunk.length
      requests.read(chunk)
      server.write(chunk)
    })
    server.on('data', (chunk: Buffer) => {
      if (this.#mode === 'holding') {
        this.#held.push(() => client.write(chunk))
        return
      }
      if (this.#mode !== 'open') {
        this.bytesSwallowed += chunk.length
        return
      }
      this.bytesToClient += chunk.length
      client.write(chunk)
    })
  }
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
