import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Measured, Task } from './load-process.ts'

/** Processes that do the same task at the same time. */
export class Processes {
  readonly #children: readonly ChildProcess[]
  readonly #archived = new Map<ChildProcess, number>()

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children
    for (const child of children) {
      child.on('message', (message: { readonly archived?: number }) => {
        if (message.archived !== undefined) this.#archived.set(child, message.archived)
      })
    }
  }

  /** Starts `count` processes, and resolves when all of them wait for `go`. */
  static async start(count: number, task: Task): Promise<Processes> {
    const program = new URL('./load-process.ts', import.meta.url)
    const children = Array.from({ length: count }, () => fork(program, [JSON.stringify(task)]))
    const processes = new Processes(children)
    await Promise.all(children.map((child) => nextMessage(child, 'isReady')))
    return processes
  }

  get archived(): number {
    return [...this.#archived.values()].reduce((sum, count) => sum + count, 0)
  }

  go(): void {
    for (const child of this.#children) child.send('go')
  }

  finish(): void {
    this.go()
  }

  async measured(): Promise<Measured[]> {
    return Promise.all(
      this.#children.map(async (child) => {
        const { measured } = await nextMessage<{ measured: Measured }>(child, 'measured')
        return measured
      }),
    )
  }
}

function nextMessage<M extends object>(child: ChildProcess, key: string): Promise<M> {
  return new Promise((resolve, reject) => {
    const listen = (message: object) => {
      if (!(key in message)) return
      child.off('message', listen)
      resolve(message as M)
    }
    child.on('message', listen)
    once(child, 'exit').then(([code]) => reject(new Error(`a process ended with ${code}`)), reject)
  })
}
