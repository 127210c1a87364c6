import { createClient } from 'redis'
import { RedisServer } from './redis-server.ts'
import { waitUntil } from './wait-until.ts'

const slots = 16_384
const settings = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '1500', '--cluster-config-file', 'nodes.conf'],
  // By default a master waits before it copies, and the replica would not be ready in time.
  ...['--repl-diskless-sync-delay', '0'],
]

/** A cluster of masters on loopback, each with a replica by default. */
export class RedisCluster {
  readonly masters: readonly RedisServer[]
  readonly replicas: readonly RedisServer[]

  private constructor(masters: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.masters = masters
    this.replicas = replicas
  }

  static async start(size = 3, { replicated = true } = {}): Promise<RedisCluster> {
    const servers: RedisServer[] = []
    for (let count = 0; count < (replicated ? 2 : 1) * size; count += 1)
      servers.push(await RedisServer.start({ args: settings }))
    const cluster = new RedisCluster(servers.slice(0, size), servers.slice(size))
    try {
      await cluster.#join()
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  get addresses(): { host: string; port: number }[] {
    return [...this.masters, ...this.replicas].map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.masters, ...this.replicas].map((server) => server.stop()))
  }

  /** Waits until every running server reports the cluster as healthy. */
  async isWell(among: readonly RedisServer[]): Promise<void> {
    for (const server of among) {
      await waitUntil(async () => (await ask(server, 'CLUSTER', 'INFO')).includes('cluster_state:ok'))
    }
  }

  async #join(): Promise<void> {
    const all = [...this.masters, ...this.replicas]
    const [first] = this.masters
    for (const [index, master] of this.masters.entries()) {
      const from = Math.floor((index * slots) / this.masters.length)
      const to = Math.floor(((index + 1) * slots) / this.masters.length)
      const mine = Array.from({ length: to - from }, (_, offset) => String(from + offset))
      await ask(master, 'CLUSTER', 'ADDSLOTS', ...mine)
      await ask(master, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    }
    for (const server of all) await ask(server, 'CLUSTER', 'MEET', '127.0.0.1', String(first?.port))
    for (const [index, replica] of this.replicas.entries()) {
      const master = this.masters[index] as RedisServer
      const id = await ask(master, 'CLUSTER', 'MYID')
      await waitUntil(async () => (await ask(replica, 'CLUSTER', 'NODES')).includes(id))
      await ask(replica, 'CLUSTER', 'REPLICATE', id)
      await waitUntil(async () =>
        (await ask(replica, 'INFO', 'replication')).includes('master_link_status:up'),
      )
    }
    await this.isWell(all)
  }
}

/** Sends one command on its own connection, and returns the reply as text. */
export async function ask(server: { readonly url: string }, ...command: string[]): Promise<string> {
  const client = createClient({ url: server.url })
  client.on('error', () => {})
  await client.connect()
  try {
    return String(await client.sendCommand(command))
  } finally {
    client.destroy()
  }
}
