import { basename, dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { entries } from '../../scripts/entries.ts'
import { code, read, sources } from './tracked-files.ts'

/** The layers that each layer may import, besides itself. */
const rooms: Record<string, readonly string[]> = {
  core: [],
  memory: ['core'],
  redis: ['core'],
  adapters: ['core'],
  stores: ['core'],
  testing: ['core'],
  watching: ['core'],
}

/** The one adapter that has sessions of its own: those of transports, which no application keeps. */
const owners: Record<string, string> = {
  'src/adapters/mcp/transports.ts': 'src/memory/session-registry.ts',
}

/** An adapter or a store is a file, and perhaps a folder of the same name: it knows no other one. */
const adapterOf = (path: string) => /^src\/(?:adapters|stores)\/([\w-]+)/.exec(path)?.[1]

function importsOf(path: string): string[] {
  return ts.preProcessFile(read(path)).importedFiles.map(({ fileName }) => fileName)
}

/**
 * The modifiers of every declaration and parameter of a file, `declare private` and parameter properties
 * included.
 */
function modifiersOf(path: string): Set<ts.SyntaxKind> {
  const found = new Set<ts.SyntaxKind>()
  const visit = (node: ts.Node): void => {
    if (ts.canHaveModifiers(node)) for (const { kind } of ts.getModifiers(node) ?? []) found.add(kind)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true))
  return found
}

const roomOf = (path: string) => path.split('/')[1] ?? ''

describe('the source', () => {
  it.each(sources.filter((path) => path !== 'src/index.ts'))('imports downwards only: %s', (path) => {
    const room = roomOf(path)
    const allowed = [room, ...(rooms[room] ?? [])]
    const local = importsOf(path).filter((name) => name.startsWith('.'))
    const imported = local
      .map((name) => join(dirname(path), name))
      .filter((imported) => imported !== owners[path])
    const others = imported.map(adapterOf).filter((name) => name !== undefined && name !== adapterOf(path))

    expect(Object.keys(rooms)).toContain(room)
    expect(imported.map(roomOf).filter((name) => !allowed.includes(name))).toEqual([])
    expect(others).toEqual([])
  })

  it('imports pino in one file only', () => {
    expect(sources.filter((path) => /(from|require|load|import)\W+pino\b/.test(read(path)))).toEqual([
      'src/core/events/logger.ts',
    ])
  })

  it('uses timers and clocks in one file only', () => {
    const touches =
      /(?<![.\w#])(setTimeout|setInterval|setImmediate|clearTimeout|Date\.now|performance\.now)\(|new Date\(\)/

    const mentions = sources.filter((path) => touches.test(withoutMembers(read(path))))
    // The second is a script for a browser.
    expect(mentions).toEqual(['src/core/time/clock.ts', 'src/watching/inspector/page-script.ts'])
  })

  it.each(sources)('has named exports only, no enum, no `export *`: %s', (path) => {
    const text = read(path)

    expect(text).not.toMatch(/^export default|^export \*|^(export )?(declare |const )*enum /m)
    expect(text).not.toMatch(/\binterface I[A-Z][a-z]/)
    if (hotClasses.includes(path)) {
      expect(text.replaceAll('  declare private readonly ', '')).not.toMatch(/\bprivate [\w#]+[ :(]/)
    } else expect(modifiersOf(path)).not.toContain(ts.SyntaxKind.PrivateKeyword)
  })

  it('empties the queue of events in the step alone, so that no change can forget it', () => {
    expect(sources.filter((path) => /\bflush\(/.test(read(path)))).toEqual([
      'src/core/events/event-queue.ts',
      'src/core/events/step.ts',
    ])
    expect(sources.filter((path) => /new EventQueue\(/.test(read(path)))).toEqual(['src/core/events/step.ts'])
  })

  it('knows the fast path in one room and its two callers', () => {
    const isFast = (name: string) => /fast-path\/(touch|create)/.test(name)

    expect(sources.filter((path) => importsOf(path).some(isFast))).toEqual([
      'src/memory/operations.ts',
      'src/memory/session-registry.ts',
    ])
  })

  it('only re-exports by name in its entries', () => {
    for (const path of Object.values(entries)) {
      const { statements } = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest)
      const other = statements.filter(
        (one) => !ts.isExportDeclaration(one) || !one.exportClause || !ts.isNamedExports(one.exportClause),
      )
      expect(statements.length, path).toBeGreaterThan(0)
      expect(other.length, path).toBe(0)
    }
  })
})

describe('a random test', () => {
  it('takes properties from the file that sets their seed, so that it is the same in each run', () => {
    const others = code.filter((path) => path.startsWith('tests/') && path !== 'tests/support/fast-check.ts')

    expect(others.filter((path) => importsOf(path).includes('fast-check'))).toEqual([])
  })
})

describe('a file', () => {
  it.each(code)('has at most 300 lines: %s', (path) => {
    const text = publicClasses.includes(path) ? withoutDocstrings(read(path)) : read(path)

    expect(text.split('\n').length - 1).toBeLessThanOrEqual(300)
  })

  it('is named for one concept, in kebab-case', () => {
    const names = code.map((path) => basename(path).split('.')[0] ?? '')

    expect(names.filter((name) => /^(utils?|helpers?|types?|common|misc)$/.test(name))).toEqual([])
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([])
  })
})

describe('the public class', () => {
  it.each(publicClasses)('has a docstring on each public member: %s', (path) => {
    const file = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
    const declared = file.statements.find(ts.isClassDeclaration)
    const members =
      declared?.members.filter((member) => !(member.name && ts.isPrivateIdentifier(member.name))) ?? []
    const bare = members.filter((member) => ts.getJSDocCommentsAndTags(member).length === 0)
    const names = new Set(bare.map((member) => member.name?.getText(file)))
    // Overloads share the docstring of the first.
    for (const member of members) if (!bare.includes(member)) names.delete(member.name?.getText(file))

    expect(members.length).toBeGreaterThan(20)
    expect([...names]).toEqual([])
  })
})

/**
 * Where fields are `declare private readonly`, which V8 treats as constants; see docs/design/decisions.md.
 */
const hotClasses = [
  'src/memory/operations.ts',
  'src/memory/fast-path/create.ts',
  'src/memory/fast-path/touch.ts',
  'src/memory/table/slots/insert-template.ts',
  'src/memory/table/index/id-index.ts',
  'src/memory/table/session-table.ts',
]

/** What they promise stands at each member: it does not count against the length of the file. */
const publicClasses = ['src/memory/session-registry.ts', 'src/redis/session-registry.ts']

function withoutDocstrings(text: string): string {
  return text.replaceAll(/^ *\/\*\*.*?\*\/\n/gms, '')
}

/** The members of classes and interfaces that are called like timers are no timers: `setTimeout(fn: …)`. */
function withoutMembers(text: string): string {
  return text.replaceAll(/^\s*(setTimeout|clearTimeout|now|date)\(.*\{$/gm, '')
}
