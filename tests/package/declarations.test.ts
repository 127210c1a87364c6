import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entries } from '../../scripts/entries.ts'
import { ConsumerProject } from './consumer-project.ts'

let project: ConsumerProject

beforeAll(async () => {
  project = await ConsumerProject.create()
  await project.link('@types/node')
  await project.link('undici-types')
}, 180_000)

afterAll(() => project?.remove())

const shared = [
  'clock',
  'inspected-session',
  'observed-registry',
  'registry-figures',
  'registry-types',
  'session-id',
  'session-store',
  'session-types',
  'turn',
]

describe.each(['.d.ts', '.d.cts'])('the declarations: %s', (ending) => {
  const declarations = () => project.files.filter((path) => path.endsWith(ending))

  it('are a file for each entry, and files with names of their own for what entries share', () => {
    const names = declarations().map((path) => path.slice('dist/'.length, -ending.length))

    expect(names.toSorted()).toEqual([...Object.keys(entries), ...shared].toSorted())
  })

  it('import what they share by its own name, from files that exist', async () => {
    for (const path of declarations()) {
      const text = await project.read(path)
      const imported = Array.from(text.matchAll(/ from '(\.[^']+)'/g), ([, from = '']) =>
        posix.join(posix.dirname(path), from).replace(/\.c?js$/, ending),
      )

      expect(imported.filter((file) => !project.files.includes(file))).toEqual([])
      expect(text).not.toMatch(/^(?:import|export)(?: type)? \{.*\b\w as \w+.*\}/m)
    }
  })
})

describe('an editor', () => {
  const program = `
    import { SessionRegistry } from 'session-registry'
    import { RedisSessionRegistry } from 'session-registry/redis'
    declare const memory: SessionRegistry<string[]>
    declare const redis: RedisSessionRegistry<string[]>
    memory.on('created', () => {})
    memory.on('expired', () => {})
    memory.on('ended', () => {})
    memory.on('swept', () => {})
    memory.on('error', () => {})
    redis.once('expired', () => {})
  `

  it('shows the docstring of the event for `on` and `once`', () => {
    const at = (call: string) => program.indexOf(call) + call.indexOf('on')
    const shown = hover(program, [
      at("memory.on('created"),
      at("memory.on('expired"),
      at("memory.on('ended"),
      at("memory.on('swept"),
      at("memory.on('error"),
      at("redis.once('expired"),
    ])

    expect(shown).toEqual([
      expect.stringContaining('`created`: a session was created'),
      expect.stringContaining('`expired`: a session was idle'),
      expect.stringContaining('`ended`: a session has ended'),
      expect.stringContaining('`swept`: a background sweep'),
      expect.stringContaining('`error`: what another listener threw'),
      expect.stringContaining('next `expired` only'),
    ])
  })

  /** Returns what an editor shows at positions of a program of the consumer. */
  function hover(text: string, positions: readonly number[]): string[] {
    const file = join(project.folder, 'hover.mts')
    const read = (path: string) => (path === file ? text : readFileSync(path, 'utf8'))
    const service = ts.createLanguageService({
      ...ts.sys,
      useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
      getScriptFileNames: () => [file],
      getScriptVersion: () => '1',
      getScriptSnapshot: (path) =>
        path === file || ts.sys.fileExists(path) ? ts.ScriptSnapshot.fromString(read(path)) : undefined,
      getCurrentDirectory: () => project.folder,
      getCompilationSettings: () => ({
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        target: ts.ScriptTarget.ES2022,
        lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
        types: ['node'],
        strict: true,
      }),
      getDefaultLibFileName: ts.getDefaultLibFilePath,
    })
    return positions.map((position) =>
      ts.displayPartsToString(service.getQuickInfoAtPosition(file, position)?.documentation),
    )
  }
}, 60_000)
