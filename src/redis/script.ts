import { createHash } from 'node:crypto'

/** A Lua script. Its hash is its version: two releases of the library side by side never run each other's. */
export class Script {
  readonly name: string
  readonly source: string
  readonly sha: string

  constructor(name: string, ...parts: readonly string[]) {
    this.name = name
    this.source = parts.join('\n')
    this.sha = createHash('sha1').update(this.source).digest('hex')
  }
}
