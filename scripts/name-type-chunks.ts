import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

// Gives the declarations that several entries share names that a reader can follow. tsup calls such a file
// `listener-tracker-B6FsEDwV.d.ts`, after one of the modules in it, and has no setting for that; its exports
// are called `a`, `b`, `c`.
const dist = fileURLToPath(new URL('../dist/', import.meta.url))

/** The names of the files, each by a type in it. Another file keeps its name, without the hash. */
const names: Readonly<Record<string, string>> = {
  Clock: 'clock',
  RegistryStats: 'registry-figures',
  SessionIdInput: 'session-id',
  SessionSource: 'session-types',
  SessionStore: 'session-store',
  SharedOptions: 'registry-types',
}

const list = /(?<=^(?:import|export)(?: type)? \{)([^}]*)(?=\}(?: from '([^']+)')?;$)/gm

for (const ending of ['.d.ts', '.d.cts']) {
  const files = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith(ending))
  const texts = new Map(
    await Promise.all(files.map(async (file) => [file, await readFile(dist + file, 'utf8')] as const)),
  )
  const chunks = new Map<string, { readonly name: string; readonly exported: ReadonlyMap<string, string> }>()
  for (const [file, text] of texts) {
    const [, module, hashed] = /^((.+)-[\w-]{8})\.d\.c?ts$/.exec(file) ?? []
    if (module === undefined || hashed === undefined) continue
    const exported = exportsOf(text)
    const known = [...exported.values()].find((name) => names[name] !== undefined)
    const name = known === undefined ? hashed : (names[known] ?? hashed)
    if (texts.has(name + ending) || [...chunks.values()].some((other) => other.name === name)) {
      throw new Error(`Expected one file of declarations for the name ${name}, got several`)
    }
    chunks.set(module, { name, exported })
  }
  for (const [file, text] of texts) {
    const own = file.slice(0, -ending.length)
    const written = text
      .replaceAll(list, (whole, specifiers: string, from: string | undefined) => {
        const chunk = chunks.get(from === undefined ? own : moduleOf(from))
        if (chunk === undefined) return whole
        return ` ${specifiers
          .split(',')
          .map((one) =>
            (from === undefined ? one.replace(/ as \w+/, '') : renamed(one, chunk.exported)).trim(),
          )
          .toSorted((one, other) => one.replace('type ', '').localeCompare(other.replace('type ', '')))
          .join(', ')} `
      })
      .replaceAll(
        /(?<=^(?:import|export).* from '(?:\.\.?\/)+|^import '(?:\.\.?\/)+)[\w-]+(?=\.c?js';$)/gm,
        (module) => chunks.get(module)?.name ?? module,
      )
    await writeFile(dist + file, written)
    const chunk = chunks.get(own)
    if (chunk !== undefined) await rename(dist + file, dist + chunk.name + ending)
  }
}

/** Returns the own names of what a file exports, by the names under which it does. */
function exportsOf(text: string): ReadonlyMap<string, string> {
  const own = Array.from(text.matchAll(list)).find(([, , from]) => from === undefined)?.[1] ?? ''
  return new Map(
    Array.from(own.matchAll(/(?:type )?(\w+)(?: as (\w+))?/g), ([, name = '', alias = name]) => [
      alias,
      name,
    ]),
  )
}

/** Returns a specifier of an import with the own name of what is imported. */
function renamed(specifier: string, exported: ReadonlyMap<string, string>): string {
  return specifier.replace(
    /(type )?(\w+)(?: as (\w+))?/,
    (_, type = '', alias: string, local: string = alias) => {
      const name = exported.get(alias) ?? alias
      return type + (name === local ? name : `${name} as ${local}`)
    },
  )
}

function moduleOf(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.c?js$/, '')
}
