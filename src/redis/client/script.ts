import { createHash } from 'node:crypto'
import { prelude } from '../scripts/includes/prelude.lua.ts'

/**
 * A Lua script. Its hash is its version: two releases of the library side by side never run each other's
 * scripts.
 *
 * It begins with {@link prelude}, and replies `{1, now, result}`, or `{0, now}` where it came too late and
 * changed nothing; `now` is the server's time. The last of its parts is its body, which returns `result`; the
 * others are includes, of which it has the functions that it needs.
 */
export class Script {
  readonly name: string
  readonly source: string
  readonly sha: string
  readonly isReadOnly: boolean = false

  constructor(name: string, ...parts: readonly string[]) {
    const body = parts.at(-1) ?? ''
    const main = ['local function main()', body, 'end', 'return { 1, now, main() }'].join('\n')
    this.name = name
    this.source = withFunctionsUsed([prelude, ...parts.slice(0, -1)].join('\n'), main)
    this.sha = createHash('sha1').update(this.source).digest('hex')
  }
}

/** A script that writes nothing, so that it may run at any time. */
export class ReadOnlyScript extends Script {
  override readonly isReadOnly = true
}

/** A function of an include: from the beginning of a line to the first `end` at one. */
const includedFunction = /^local function (\w+)\([\s\S]*?\nend\n/gm

/**
 * Returns the script without the functions of its includes that nothing calls. Redis runs a script from its
 * first line at every call, and making a function takes a tenth of a microsecond.
 */
function withFunctionsUsed(includes: string, main: string): string {
  const calls = (text: string, name: string) => new RegExp(`\\b${name}\\b`).test(text)
  let script = includes
  // Those at the end first: a function is called only by what follows it.
  for (const [text, name = ''] of [...includes.matchAll(includedFunction)].reverse()) {
    const start = script.lastIndexOf(text)
    const rest = script.slice(start + text.length)
    if (!calls(rest, name) && !calls(main, name)) script = script.slice(0, start) + rest
  }
  return `${script}\n${main}`
}
