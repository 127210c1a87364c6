import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { read, sources } from './tracked-files.ts'

const table = 'src/memory/table/'
const door = `${table}session-table.ts`
/** What the fast path may import besides the door: constants, which the build puts where they are used. */
const layout = `${table}layout.ts`

/** The files that a file imports or re-exports from, types included. */
const importsOf = new Map(
  sources.map((path) => [
    path,
    ts
      .preProcessFile(read(path))
      .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
      .map(({ fileName }) => join(dirname(path), fileName)),
  ]),
)

/** Returns the import cycles, each as the files that import one another in a circle. */
function findCycles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) cycles.push(trail.slice(at))
    if (at >= 0 || done.has(path)) return
    for (const imported of imports.get(path) ?? []) visit(imported, [...trail, path])
    done.add(path)
  }
  for (const path of imports.keys()) visit(path, [])
  return cycles
}

const inTable = sources.filter((path) => path.startsWith(table))
const outside = sources.filter((path) => !path.startsWith(table))

describe('imports', () => {
  it('form no cycle, types included', () => {
    expect(importsOf.size).toBeGreaterThan(100)
    expect(findCycles(importsOf)).toEqual([])
  })

  it('would be found in a cycle', () => {
    const imports = { a: ['b', 'c'], b: [], c: ['d'], d: ['c', 'b'] }

    expect(findCycles(new Map(Object.entries(imports)))).toEqual([['c', 'd']])
  })
})

describe('the session table', () => {
  it('has one door: outside its folder only session-table.ts is imported', () => {
    const reaching = outside.flatMap((path) =>
      (importsOf.get(path) ?? [])
        .filter((imported) => imported.startsWith(table) && imported !== door)
        .filter((imported) => imported !== layout || !path.startsWith('src/memory/fast-path/'))
        .map((imported) => `${path} → ${imported}`),
    )

    expect(outside.filter((path) => importsOf.get(path)?.includes(door)).length).toBeGreaterThan(3)
    expect(reaching).toEqual([])
  })

  it('imports nothing of the memory layer outside its folder', () => {
    const imported = inTable.flatMap((path) => importsOf.get(path) ?? [])

    expect(inTable.length).toBeGreaterThan(10)
    expect(imported.filter((path) => path.startsWith('src/memory/') && !path.startsWith(table))).toEqual([])
  })

  it('imports downwards inside: index and expiry use slots, and all of them layout.ts', () => {
    const allowed: Record<string, readonly string[]> = {
      slots: ['slots', 'layout.ts'],
      index: ['index', 'slots', 'layout.ts'],
      expiry: ['expiry', 'slots', 'layout.ts'],
      'layout.ts': [],
    }
    const partOf = (path: string) => path.slice(table.length).split('/')[0] ?? ''
    const upwards = inTable
      .filter((path) => path !== door)
      .flatMap((path) =>
        (importsOf.get(path) ?? [])
          .filter((imported) => imported.startsWith(table))
          .filter((imported) => !allowed[partOf(path)]?.includes(partOf(imported)))
          .map((imported) => `${path} → ${imported}`),
      )

    expect(upwards).toEqual([])
  })

  it('casts a number to a slot in slots/ only, but for `noSlot`', () => {
    const casts = sources.filter((path) => /\bas Slot\b/.test(read(path)))

    expect(casts.filter((path) => !path.startsWith(`${table}slots/`))).toEqual([layout])
  })
})
