import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
// A file, since another folder than the root has no `tsx` in it.
const tsx = import.meta.resolve('tsx')

/** An example in its own process. */
export class Running {
  readonly child: ChildProcess
  readonly #closed: Promise<unknown[]>
  #printed = ''

  constructor(
    path: string,
    env: Readonly<Record<string, string>> = {},
    { args = [], cwd = root }: { readonly args?: readonly string[]; readonly cwd?: string } = {},
  ) {
    this.child = spawn(process.execPath, ['--import', tsx, join(root, path), ...args], {
      cwd,
      env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#closed = once(this.child, 'close')
    this.child.stdout?.on('data', (text) => this.#print(text))
    this.child.stderr?.on('data', (text) => this.#print(text))
    onTestFinished(() => void this.child.kill('SIGKILL'))
  }

  /** The printed lines so far. */
  get lines(): string[] {
    return this.#printed.trim().split('\n')
  }

  /** Waits until it has printed this. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#printed)
      if (match !== null) return match
      await Promise.race([once(this.child, 'printed'), this.#failIfClosed()])
    }
  }

  /** Waits for its exit, and returns the exit code. */
  async ended(): Promise<number | null> {
    const [exitCode] = await this.#closed
    return exitCode as number | null
  }

  async #failIfClosed(): Promise<void> {
    await this.#closed
    throw new Error(`it ended too early:\n${this.#printed}`)
  }

  #print(text: Buffer): void {
    this.#printed += String(text)
    this.child.emit('printed')
  }
}
