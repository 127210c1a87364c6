import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ContenderName } from './contenders.ts'
import type { Burst } from './load.ts'

/** The number of promises that the other middleware of the second row of each table awaits. */
export const promisesElsewhere = 100

const warmUpRequests = 12_000
const requests = 3_000

interface Server {
  readonly name: ContenderName
  readonly process: ChildProcess
  readonly port: number
}

function built(name: string): string {
  return fileURLToPath(new URL(`../.built/turns/${name}.js`, import.meta.url))
}

async function answer(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController()
  const onExit = () => ended.abort(new Error('A process of the benchmark has ended'))
  child.once('exit', onExit)
  try {
    const [message] = await once(child, 'message', { signal: ended.signal })
    return message
  } finally {
    child.off('exit', onExit)
  }
}

async function startServer(node: string, name: ContenderName, promises: number): Promise<Server> {
  const child = fork(built('server'), [name, String(promises)], { execPath: node, execArgv: [] })
  return { name, process: child, port: (await answer(child)) as number }
}

async function cpuUs({ process }: Server): Promise<number> {
  process.send('cpu')
  return (await answer(process)) as number
}

/**
 * Returns the microseconds of CPU time of a request, for each contender, in servers of their own that all
 * run at once and get their requests in turn, in short bursts: that of its cheapest burst.
 */
export async function measureHttp(
  node: string,
  contenders: readonly ContenderName[],
  promises: number,
  bursts: number,
): Promise<ReadonlyMap<ContenderName, number>> {
  const load = fork(built('load'), [], { execPath: node, execArgv: [] })
  const servers: Server[] = []
  const send = async (burst: Burst) => {
    load.send(burst)
    await answer(load)
  }
  try {
    for (const name of contenders) servers.push(await startServer(node, name, promises))
    for (const { port } of servers) await send({ port, requests: warmUpRequests })
    const readings = new Map(contenders.map((name) => [name, [] as number[]]))
    for (let burst = 0; burst < bursts; burst += 1) {
      for (const server of burst % 2 === 0 ? servers : servers.toReversed()) {
        const before = await cpuUs(server)
        await send({ port: server.port, requests })
        readings.get(server.name)?.push(((await cpuUs(server)) - before) / requests)
      }
    }
    // Other programs, and a processor that is shared with the generator, only ever add to a burst.
    return new Map([...readings].map(([name, all]) => [name, Math.min(...all)]))
  } finally {
    for (const child of [load, ...servers.map((server) => server.process)]) child.kill()
  }
}
