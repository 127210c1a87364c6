export type ClientKind = 'redis' | 'ioredis' | 'iovalkey' | 'glide'

export const clientKinds: readonly ClientKind[] = ['redis', 'ioredis', 'iovalkey', 'glide']

interface Address {
  readonly host: string
  readonly port: number
}

/** A connected client of a library, made as documented, but with faster reconnects. */
export interface TestClient {
  readonly kind: ClientKind
  // Each library's own class; the registry has to recognise it by its methods.
  readonly client: never
  close(): Promise<void>
}

const reconnectMs = 20

/** Timeout for GLIDE, whose default is too short for a busy machine. */
const patient = { requestTimeout: 5_000, advancedConfiguration: { connectionTimeout: 20_000 } }

/** Connectors by library, each of which imports its library when called. */
export async function connectClient(kind: ClientKind, url: string): Promise<TestClient> {
  const { hostname: host, port: portText, username, password } = new URL(url)
  const address = { host, port: Number(portText) }
  if (kind === 'redis') {
    const { createClient } = await import('redis')
    const client = createClient({ url, socket: { reconnectStrategy: () => reconnectMs } })
    client.on('error', () => {})
    await client.connect()
    return made(kind, client, () => client.destroy())
  }
  if (kind === 'glide') {
    const { GlideClient, Logger } = await import('@valkey/valkey-glide')
    Logger.setLoggerConfig('off')
    const credentials = username === '' ? undefined : { username, password }
    const client = await GlideClient.createClient({
      addresses: [address],
      ...patient,
      ...(credentials === undefined ? {} : { credentials }),
    })
    return made(kind, client, () => client.close())
  }
  const options = { lazyConnect: true, retryStrategy: () => reconnectMs }
  const client =
    kind === 'ioredis'
      ? new (await import('ioredis')).Redis(url, options)
      : new (await import('iovalkey')).Redis(url, options)
  client.on('error', () => {})
  await client.connect()
  return made(kind, client, () => client.disconnect())
}

export async function connectClusterClient(
  kind: ClientKind,
  addresses: readonly Address[],
): Promise<TestClient> {
  if (kind === 'redis') {
    const { createCluster } = await import('redis')
    const client = createCluster({
      rootNodes: addresses.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
      defaults: { socket: { reconnectStrategy: () => reconnectMs } },
    })
    client.on('error', () => {})
    await client.connect()
    return made(kind, client, () => client.destroy())
  }
  if (kind === 'glide') {
    const { GlideClusterClient, Logger } = await import('@valkey/valkey-glide')
    Logger.setLoggerConfig('off')
    const client = await GlideClusterClient.createClient({ addresses: [...addresses], ...patient })
    return made(kind, client, () => client.close())
  }
  const options = { lazyConnect: true, clusterRetryStrategy: () => reconnectMs }
  const client =
    kind === 'ioredis'
      ? new (await import('ioredis')).Cluster([...addresses], options)
      : new (await import('iovalkey')).Cluster([...addresses], options)
  client.on('error', () => {})
  await client.connect()
  return made(kind, client, () => client.disconnect())
}

function made(kind: ClientKind, client: object, close: () => unknown): TestClient {
  return {
    kind,
    client: client as never,
    close: async () => {
      await close()
    },
  }
}
