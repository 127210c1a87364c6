import { describe, expect, it } from 'vitest'
import { code, documents, read } from './tracked-files.ts'

const width = 110

/** Lines of prose in a document: neither code blocks nor tables. */
function proseOf(document: string): string[] {
  const withoutCode = document.replaceAll(/^( *)(```|~~~)[\s\S]*?^\1\2/gm, '')
  return withoutCode.split('\n').filter((line) => !line.startsWith('|'))
}

/** Lines of a source that are comments: of TypeScript, and of Lua in template strings. */
function commentsOf(path: string): string[] {
  const comment = path.endsWith('.lua.ts') ? /^\s*(\/\/|\/\*|\*|--)/ : /^\s*(\/\/|\/\*|\*)/
  return read(path)
    .split('\n')
    .filter((line) => comment.test(line) && !/^\s*\/\/ (biome-ignore|@ts-)/.test(line))
}

/** The lines that are too wide, except those that are wide because of a link, which cannot be broken. */
function tooWide(lines: readonly string[]): string[] {
  return lines.filter((line) => [...line].length > width && !/\]\(\S+\)|https?:\/\//.test(line))
}

describe(`at most ${width} columns`, () => {
  it.each(documents)('prose: %s', (path) => {
    expect(tooWide(proseOf(read(path)))).toEqual([])
  })

  it.each(code)('comments: %s', (path) => {
    expect(tooWide(commentsOf(path))).toEqual([])
  })
})
