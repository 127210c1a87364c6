import type { RedisClientType } from 'redis'
import type { Session } from 'session-registry'
import { RedisSessionRegistry, type RedisSessionRegistryOptions } from 'session-registry/redis'
import { load } from '../../../src/redis/scripts/load.lua.ts'
import { connectClient } from '../../support/redis-clients.ts'
import { RedisProxy } from '../../support/redis-proxy.ts'
import type { Store } from './store.ts'
import { ownerOf, StrangerError, type Witness } from './witness.ts'

type Call = { readonly keys: string[]; readonly arguments: string[] }

/**
 * One of several processes with its own connection to Redis, which can be broken; a crash breaks it for good.
 */
export class Process {
  readonly registry: RedisSessionRegistry<string[]>
  readonly proxy: RedisProxy
  readonly #gone: AbortController
  readonly #end: () => Promise<void>

  private constructor(
    registry: RedisSessionRegistry<string[]>,
    proxy: RedisProxy,
    gone: AbortController,
    end: () => Promise<void>,
  ) {
    this.registry = registry
    this.proxy = proxy
    this.#gone = gone
    this.#end = end
  }

  static async start(
    url: string,
    options: Omit<RedisSessionRegistryOptions<string[]>, 'client'>,
    store: Store,
    witness: Witness,
  ): Promise<Process> {
    const proxy = await RedisProxy.start(url)
    const { client, close } = await connectClient('redis', proxy.url)
    const gone = new AbortController()
    const archive = async (
      session: Session<string[]>,
      _reason: string,
      context: { readonly signal: AbortSignal; readonly attempt: number; readonly superseded?: boolean },
    ) => {
      const { id, incarnation, value } = session
      const { signal, attempt, superseded } = context
      // A crashed process does nothing more.
      const alive = AbortSignal.any([signal, gone.signal])
      const end = witness.archiveBegan(id, incarnation, attempt, alive)
      witness.expired(id, session.lastActiveAt + session.timeoutMs)
      if (session.owner !== ownerOf(id)) witness.problems.push(`${id} belongs to ${session.owner}`)
      try {
        await store.write({ id, value, signal: alive, superseded })
      } finally {
        end()
      }
    }
    const registry = new RedisSessionRegistry<string[]>({
      ...options,
      client: watchLoads(client, witness),
      create: () => [],
      load: async (id, { signal, owner }) => {
        if (owner !== ownerOf(id)) throw new StrangerError()
        return store.read(id, signal)
      },
      archive,
    })
    registry.on('error', (error) => witness.failed(error))
    return new Process(registry, proxy, gone, async () => {
      await registry.close({ deadlineMs: 0 })
      await close()
      await proxy.close()
    })
  }

  get isGone(): boolean {
    return this.#gone.signal.aborted
  }

  /** From now on nothing of the process reaches Redis or the store. */
  crash(): void {
    this.proxy.refuse()
    this.#gone.abort(new Error('the process is gone'))
  }

  async end(): Promise<void> {
    await this.#end()
  }
}

/** Reports each claim to the witness whose archive begins, without those that only wait. */
function watchLoads(client: never, witness: Witness): never {
  const real = client as RedisClientType
  const call = (name: 'eval' | 'evalSha') => async (what: string, options: Call) => {
    if (what === load.sha || what === load.source) {
      // Before the claims are four arguments of all, behind them the two of every call.
      const claims = options.arguments.slice(4, -2)
      for (let first = 0; first < claims.length; first += 3) {
        witness.begins(claims[first + 1] ?? '', claims[first + 2] ?? '')
      }
    }
    return real[name](what, options)
  }
  return { eval: call('eval'), evalSha: call('evalSha') } as never
}
