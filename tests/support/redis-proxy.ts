import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net'
import { RequestReader } from './request-reader.ts'

interface Link {
  readonly client: Socket
  readonly server: Socket
}

/**
 * Stands between clients and a Redis: counts what passes, and breaks the connection in the ways that networks
 * do.
 */
export class RedisProxy {
  /** Commands that clients sent, in capitals, in the order of their arrival. */
  readonly commands: string[] = []
  /** How often a connection was cut. */
  cuts = 0
  bytesToServer = 0
  bytesToClient = 0
  /** Bytes of answers that were swallowed: what they answer has been carried out. 0 again after `heal`. */
  bytesSwallowed = 0
  #target: { readonly host: string; readonly port: number }
  readonly #listener: Server
  readonly #links = new Set<Link>()
  #mode: 'open' | 'silent' | 'holding' | 'deaf' | 'refusing' = 'open'
  /** Answers that are kept back, with the connections that they are for. */
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

  /** Forgets what was counted so far. */
  reset(): void {
    this.commands.length = 0
    this.bytesToServer = 0
    this.bytesToClient = 0
  }

  /**
   * From now on new connections go to another server, as a name does after a failover; those that are open
   * stay.
   */
  pointTo(url: string): void {
    this.#target = addressOf(url)
  }

  /** Cuts every connection now; new ones are let through. */
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

  /** What is sent arrives, but its answers are swallowed: the worst moment to lose a connection. */
  swallowAnswers(): void {
    this.#mode = 'silent'
  }

  /** What is sent arrives, but its answers are kept back until they are released. */
  holdAnswers(): void {
    this.#mode = 'holding'
  }

  releaseAnswers(): void {
    this.#mode = 'open'
    for (const send of this.#held.splice(0)) send()
  }

  /** How many pieces of answers are kept back. */
  get held(): number {
    return this.#held.length
  }

  /** Nothing arrives any more, and nothing says so: a cable that was pulled. */
  goDeaf(): void {
    this.#mode = 'deaf'
  }

  /** Cuts every connection and accepts none: a server that is gone. */
  refuse(): void {
    this.#mode = 'refusing'
    this.cut()
  }

  /** All is well again. What was swallowed stays lost, so connections that missed something are cut. */
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
