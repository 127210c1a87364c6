import { SessionRegistry } from 'session-registry'
import { RedisSessionRegistry } from 'session-registry/redis'
import { ManualClock } from 'session-registry/testing'
import { CheckedCodec } from '../../src/core/codec/codec.ts'
import { jsonCodec } from '../../src/core/codec/json-codec.ts'
import { describeNoEcho, type OpenCall } from '../support/no-echo.ts'

const client = { evalSha: async () => 0, eval: async () => 0 }
const inMemory = () => new SessionRegistry<string[]>({ create: () => [] })
// With a logger, so that failures in the background cause no warning.
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const onRedis = () => new RedisSessionRegistry<string[]>({ client, logger, create: () => [] })
const turn = () => {}

/**
 * The names of the options of both registries, and the places of arguments, filled with whatever is given.
 */
const optionNames = [
  ...['timeoutMs', 'intervalMs', 'maxAgeMs', 'maxSessions', 'whenFull', 'create', 'load', 'archive'],
  ...['archiveConcurrency', 'archiveAttempts', 'archiveTimeoutMs', 'loadTimeoutMs', 'maxTurnMs', 'maxHoldMs'],
  ...['turnGraceMs', 'slowTurnMs', 'maxWaiting', 'logger', 'logIds', 'name', 'clock', 'rollback'],
]
const redisOptionNames = [
  ...optionNames,
  'client',
  'prefix',
  'shards',
  'leaseMs',
  'retentionMs',
  'codec',
  'callTimeoutMs',
  'archives',
]

describeNoEcho({
  'new SessionRegistry': (given) => new SessionRegistry(given),
  'new RedisSessionRegistry': (given) => new RedisSessionRegistry(given),
  ...Object.fromEntries(
    optionNames.map((name): [string, OpenCall] => [
      `new SessionRegistry: ${name}`,
      (given) => new SessionRegistry({ [name]: given }),
    ]),
  ),
  ...Object.fromEntries(
    redisOptionNames.map((name): [string, OpenCall] => [
      `new RedisSessionRegistry: ${name}`,
      (given) => new RedisSessionRegistry({ client, [name]: given } as never),
    ]),
  ),
  ...callsOfRegistry('memory', inMemory),
  ...callsOfRegistry('Redis', onRedis),
  'session.timeoutMs': (given) => {
    const session = inMemory().set('a', []).peek('a')
    if (session !== undefined) session.timeoutMs = given
  },
  'SessionRegistry.shared: key': (key) => SessionRegistry.shared(key, () => 5 as never),
  'SessionRegistry.shared: make': (make) => SessionRegistry.shared('no-echo', make),
  'RedisSessionRegistry.retryDead: id': (id) => onRedis().retryDead(wrongId(id)),
  'RedisSessionRegistry.dropDead: id': (id) => onRedis().dropDead(wrongId(id)),
  'ManualClock.advance': (given) => new ManualClock().advance(given),
  'ManualClock.advanceAsync': (given) => new ManualClock().advanceAsync(given),
  'JSON codec: decode': (given) => new CheckedCodec(jsonCodec).decode(given),
})

/** A string of a valid length is a valid id. */
function wrongId(given: unknown): string {
  return (typeof given === 'string' ? given.repeat(60) : given) as string
}

function callsOfRegistry(
  kind: string,
  make: () => SessionRegistry<string[]> | RedisSessionRegistry<string[]>,
): Record<string, OpenCall> {
  const onRegistry: Record<string, (registry: SessionRegistry<string[]>, given: never) => unknown> = {
    'getOrCreate: create': (registry, given) => registry.getOrCreate('a', given),
    'getOrCreate: options': (registry, given) => registry.getOrCreate('a', undefined, given),
    'getOrCreate: timeoutMs': (registry, timeoutMs) => registry.getOrCreate('a', undefined, { timeoutMs }),
    'set: options': (registry, given) => registry.set('a', [], given),
    'set: timeoutMs': (registry, timeoutMs) => registry.set('a', [], { timeoutMs }),
    'run: turn': (registry, given) => registry.run('a', given),
    'run: options': (registry, given) => registry.run('a', turn, given),
    'run: whenBusy': (registry, whenBusy) => registry.run('a', turn, { whenBusy }),
    'run: signal': (registry, signal) => registry.run('a', turn, { signal }),
    'run: create': (registry, create) => registry.run('a', turn, { create }),
    'run: waitMs': (registry, waitMs) => registry.run('a', turn, { waitMs }),
    'stream: turn': (registry, given) => registry.stream('a', given).next(),
    'stream: options': (registry, given) => registry.stream('a', async function* () {}, given).next(),
    'replace: options': (registry, given) => registry.replace('a', [], given),
    'open: options': (registry, given) => registry.open('a', given),
    'open: create': (registry, create) => registry.open('a', { create }),
    'acquire: options': (registry, given) => registry.acquire('a', given),
    'hold: options': (registry, given) => registry.hold('a', given),
    'hold: maxMs': (registry, maxMs) => registry.hold('a', { maxMs }),
    'close: options': (registry, given) => registry.close(given),
    'close: deadlineMs': (registry, deadlineMs) => registry.close({ deadlineMs }),
  }
  for (const name of [
    'get',
    'touch',
    'peek',
    'has',
    'delete',
    'open',
    'hold',
    'getOrCreate',
    'acquire',
    'ref',
  ] as const) {
    onRegistry[`${name}: id`] = (registry, given) => {
      return registry[name](wrongId(given))
    }
  }
  return Object.fromEntries(
    Object.entries(onRegistry).map(([name, call]): [string, OpenCall] => [
      `${kind}: ${name}`,
      (given) => call(make() as SessionRegistry<string[]>, given),
    ]),
  )
}
