import { setTimeout as wait } from 'node:timers/promises'
import { SessionRegistry } from 'session-registry'

/** In place of a container, a browser page or a child process of yours. */
class Sandbox implements AsyncDisposable {
  static async start(id: string, signal: AbortSignal): Promise<Sandbox> {
    await wait(50, undefined, { signal })
    console.log(`started for ${id}`)
    return new Sandbox()
  }

  async execute(command: string): Promise<string> {
    return `did ${command}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await wait(50)
    console.log('stopped')
  }
}

const sandboxes = new SessionRegistry<Sandbox>({
  maxSessions: 20, // never more than that, starting and stopping ones included
  timeoutMs: 5 * 60_000, // idle that long, it is stopped …
  intervalMs: 30_000, // … or up to that much later
  create: (id, { signal }) => Sandbox.start(id, signal),
  dispose: true, // by `Symbol.asyncDispose`; or a function
})
sandboxes.on('ended', (session, reason) => console.log(`${session.id}: ${reason}`))

function run(id: string, command: string): Promise<string> {
  return sandboxes.run(id, ({ value }) => value.execute(command))
}

// At once: one sandbox is started.
console.log(await Promise.all([run('ada', 'one'), run('ada', 'two'), run('ada', 'three')]))

sandboxes.delete('ada')
await sandboxes.open('ada', { create: false }) // waits until Ada's sandbox is stopped
console.log('Ada has none')

console.log(await run('ben', 'four'))
await sandboxes.close()
