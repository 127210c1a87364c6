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
  create: (id, { signal }) => Sandbox.start(id, signal),
  dispose: true, // by `Symbol.asyncDispose`; or a function
})
sandboxes.on('ended', (session, reason) => console.log(`${session.id}: ${reason}`))

const commands = ['one', 'two', 'three'] // at once: one sandbox
const run = (command: string) => sandboxes.run('ada', ({ value }) => value.execute(command))
console.log(await Promise.all(commands.map(run)))

await sandboxes.close()
