import assert from 'node:assert/strict'
import { isSessionRegistryError } from 'session-registry'
import { RedisSessionRegistry } from 'session-registry/redis'
import {
  type ClientKind,
  clientKinds,
  connectClusterClient,
  type TestClient,
} from '../tests/support/redis-clients.ts'
import { ask, RedisCluster } from '../tests/support/redis-cluster.ts'
import type { RedisServer } from '../tests/support/redis-server.ts'
import { findRedisProgram, howToGetRedis } from '../tests/support/redis-source.ts'
import { waitUntil } from '../tests/support/wait-until.ts'

/**
 * Tests the registry on a cluster of three masters and their replicas, with every client library, and kills a
 * master during the work: nothing that other masters acknowledged may be lost, and the replica must take
 * over.
 */
interface Tally {
  n: number
}

const perClient = 150
const perFailover = 400

if (findRedisProgram() === undefined) {
  console.error(`SKIPPED: the tests on a cluster; to have them run, ${howToGetRedis}`)
  const { CI_REQUIRE_REDIS } = process.env
  if (CI_REQUIRE_REDIS === '1') process.exitCode = 1
} else {
  const cluster = await RedisCluster.start()
  try {
    for (const kind of clientKinds) await worksWith(kind, cluster)
    await survivesFailover(cluster)
  } finally {
    await cluster.stop()
  }
}

/**
 * Creates, uses, reads, archives and deletes sessions on all masters; a key of another slot would be an
 * error.
 */
async function worksWith(kind: ClientKind, cluster: RedisCluster): Promise<void> {
  const connection = await connectClusterClient(kind, cluster.addresses)
  const archived = new Map<string, number>()
  const sessions = registryOn(connection, `works-with-${kind}`, archived, 1_500)
  const ids = idsOf(perClient)
  try {
    await Promise.all(ids.map((id) => increment(sessions, id)))
    await Promise.all(ids.map((id) => increment(sessions, id)))
    assert.deepEqual(await sessions.get('visitor-0'), { n: 2 })
    await sessions.set('deleted', { n: 0 })
    assert.equal(await sessions.delete('deleted'), true)
    const walked: string[] = []
    for await (const id of sessions.keys()) walked.push(id)
    await waitUntil(() => archived.size === ids.length)
    assert.ok([...archived.values()].every((n) => n === 2))
    const used = await Promise.all(cluster.masters.map((master) => keysOn(master, `works-with-${kind}`)))
    console.log(
      `${kind.padEnd(8)} ok  ${ids.length} sessions on masters with ${used.map(({ length }) => length)} keys`,
    )
  } finally {
    await sessions.close()
    await connection.close()
  }
}

async function survivesFailover(cluster: RedisCluster): Promise<void> {
  const prefix = 'failover'
  const connections = await Promise.all([
    connectClusterClient('redis', cluster.addresses),
    connectClusterClient('ioredis', cluster.addresses),
  ])
  const archived = new Map<string, number>()
  const [one, other] = connections.map((connection) => registryOn(connection, prefix, archived, 6_000)) as [
    RedisSessionRegistry<Tally>,
    RedisSessionRegistry<Tally>,
  ]
  const ids = idsOf(perFailover)
  const acknowledged = new Map<string, number>()
  const uncertain = new Set<string>()
  const turn = async (id: string) => {
    try {
      await increment(Math.random() < 0.5 ? one : other, id)
      acknowledged.set(id, (acknowledged.get(id) ?? 0) + 1)
    } catch (error) {
      assert.ok(isSessionRegistryError(error), String(error))
      uncertain.add(id)
    }
  }
  try {
    await Promise.all(ids.map(turn))
    assert.equal(acknowledged.size, ids.length)
    const victim = cluster.masters[0] as RedisServer
    const onVictim = new Set(
      (await keysOn(victim, prefix)).flatMap((key) => ids.filter((id) => key.endsWith(`:${id}`))),
    )
    assert.ok(
      onVictim.size > 0 && onVictim.size < ids.length,
      `${onVictim.size} sessions on the first master`,
    )
    // Everything acknowledged so far has reached the replica, so it must not be lost either.
    assert.ok(Number(await ask(victim, 'WAIT', '1', '5000')) >= 1)
    const before = new Map(acknowledged)

    const load = Promise.all(ids.map(turn))
    await victim.kill()
    const killedAt = performance.now()
    await load
    const survivors = [...cluster.masters.slice(1), ...cluster.replicas]
    await waitUntil(async () => (await ask(cluster.replicas[0] as RedisServer, 'ROLE')).startsWith('master'))
    await cluster.isWell(survivors)
    const tookMs = Math.round(performance.now() - killedAt)

    await waitUntil(() => ids.every((id) => archived.has(id)))
    const lost = ids.filter(
      (id) => (archived.get(id) ?? 0) < ((onVictim.has(id) ? before : acknowledged).get(id) ?? 0),
    )
    assert.deepEqual(lost, [])
    const lastMoments = ids.filter((id) => (archived.get(id) ?? 0) < (acknowledged.get(id) ?? 0)).length
    console.log(
      `failover ok  ${onVictim.size} of ${ids.length} sessions were on the master that was killed; its replica served after ${tookMs} ms; ` +
        `${uncertain.size} calls failed meanwhile; ${lastMoments} acknowledged saves of the last moment were not yet on the replica`,
    )
  } finally {
    await Promise.all([one.close({ deadlineMs: 2_000 }), other.close({ deadlineMs: 2_000 })])
    for (const connection of connections) await connection.close()
  }
}

function registryOn(
  { client }: TestClient,
  prefix: string,
  archived: Map<string, number>,
  timeoutMs: number,
): RedisSessionRegistry<Tally> {
  const registry = new RedisSessionRegistry<Tally>({
    client,
    prefix,
    timeoutMs,
    create: () => ({ n: 0 }),
    archive: async ({ id, value }) => {
      archived.set(id, Math.max(value.n, archived.get(id) ?? 0))
    },
  })
  registry.on('error', () => {})
  return registry
}

function increment(sessions: RedisSessionRegistry<Tally>, id: string): Promise<unknown> {
  return sessions.run(id, ({ value }) => {
    value.n += 1
  })
}

function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `visitor-${index}`)
}

async function keysOn(master: RedisServer, prefix: string): Promise<string[]> {
  const keys = await ask(master, 'KEYS', `*${prefix}*`)
  return keys.split(',')
}
