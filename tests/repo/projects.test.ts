import { describe, expect, it } from 'vitest'
import { projects, quick } from '../projects.ts'
import { files, read } from './tracked-files.ts'

const testFiles = files.filter((path) => path.startsWith('tests/') && path.endsWith('.test.ts'))

/** The test files that a glob of `*`, `**` and `{a,b}` matches. */
function matching(glob: string): string[] {
  const pattern = glob
    .replaceAll('.', '\\.')
    .replaceAll('**/', '(?:.+/)?')
    .replaceAll(/(?<!\.\+|\))\*/g, '[^/]*')
    .replaceAll(/\{([^}]*)\}/g, (_, names: string) => `(?:${names.replaceAll(',', '|')})`)
  return testFiles.filter((path) => new RegExp(`^${pattern}$`).test(path))
}

describe('projects', () => {
  it('contain each test file exactly once', () => {
    const included = Object.values(projects).flatMap(({ include }) => include.flatMap(matching))

    expect(included.toSorted()).toEqual(testFiles.toSorted())
  })
})

describe('test:quick', () => {
  const excluded: string[] = quick.exclude.flatMap(matching)
  const quickFiles = quick.include.flatMap(matching).filter((path) => !excluded.includes(path))

  it.each([...quick.include, ...quick.exclude])('matches a file with each pattern: %s', (glob) => {
    expect(matching(glob).length).toBeGreaterThan(0)
  })

  it('starts no server and no other process', () => {
    const starts = /node:child_process|redis-suite|redis-server|redis-workers|redis-cluster/

    expect(quickFiles.length).toBeGreaterThan(100)
    expect(
      quickFiles.filter((path) => /^import/m.test(read(path)) && starts.test(imports(read(path)))),
    ).toEqual([])
  })
})

function imports(text: string): string {
  return Array.from(text.matchAll(/^(?:import|\} from) .*$/gm), ([line]) => line).join('\n')
}
