import { createHash } from 'node:crypto'
import { prelude } from '../scripts/includes/prelude.lua.ts'

/**
 * A Lua script. Its hash is its version: two releases of the library side by side never run each other's
 * scripts.
 *
 * It begins with {@link prelude}, and replies `{1, now, result}`, or `{0, now}` where it came too late and
 * changed nothing; `now` is the server's time. The last of its parts is its body, which returns `result`; the
 * others are includes.
 */
export class Script {
  readonly name: string
  readonly source: string
  readonly sha: string
  readonly isReadOnly: boolean = false

  constructor(name: string, ...parts: readonly string[]) {
    const body = parts.at(-1) ?? ''
    const includes = [prelude, ...parts.slice(0, -1)]
    this.name = name
    this.source = [...includes, 'local function main()', body, 'end', 'return { 1, now, main() }'].join('\n')
    this.sha = createHash('sha1').update(this.source).digest('hex')
  }
}

/** A script that writes nothing, so that it may run at any time. */
export class ReadOnlyScript extends Script {
  override readonly isReadOnly = true
}
