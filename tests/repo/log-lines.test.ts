import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { failures, logLines } from '../../src/core/events/log-lines.ts'
import { documentedAt } from './documented-at.ts'
import { read, sources } from './tracked-files.ts'

const path = 'src/core/events/log-lines.ts'
const file = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)

/** Calls `visit` for a node and all that it contains. */
function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** The names of the fields that a function of `log-lines.ts` can return. */
function fieldsOf(fn: ts.Node): string[] {
  const names = new Set<string>()
  const body = ts.isIdentifier(fn)
    ? file.statements.find((one) => ts.isFunctionDeclaration(one) && one.name?.text === fn.text)
    : fn
  if (body === undefined) throw new Error(`Expected a function in ${path}, got ${fn.getText(file)}`)
  walk(body, (node) => {
    if (!ts.isObjectLiteralExpression(node)) return
    for (const property of node.properties) {
      // A spread would hide its fields from this test.
      if (property.name === undefined) throw new Error(`Expected named fields, got ${property.getText(file)}`)
      names.add(property.name.getText(file))
    }
  })
  return [...names]
}

/** The fields of each kind of line, as its code declares them, by its name in `logLines`. */
function declaredFields(): Map<string, string[]> {
  const declared = new Map<string, string[]>()
  walk(file, (node) => {
    if (!ts.isPropertyAssignment(node) || !ts.isCallExpression(node.initializer)) return
    const { expression, arguments: given } = node.initializer
    const [, , fn] = given
    const kind = expression.getText(file)
    if (fn === undefined || !/^(line|sessionLine)$/.test(kind)) return
    const own = fieldsOf(fn)
    declared.set(node.name.getText(file), kind === 'sessionLine' ? ['session', ...own] : own)
  })
  return declared
}

const page = read(documentedAt.logLines)
const section = (from: string, to: string) => page.slice(page.indexOf(from), page.indexOf(to))

/** The cells of the rows of a table, without the head. */
function rowsOf(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const namesIn = (cell: string) => Array.from(cell.matchAll(/`(\w+)`/g), ([, name = '']) => name)

describe('the log lines of the page on logging', () => {
  const documented = rowsOf(section('| level ', '## Contained failures'))
  const fields = declaredFields()

  it('are those of the code, with level, message and fields', () => {
    const declared = Object.entries(logLines).map(([name, { level, message }]) => {
      return [level, message, fields.get(name)]
    })

    expect(declared.length).toBeGreaterThan(8)
    expect(
      documented.map(([level = '', message, cell = '']) => [namesIn(level)[0], message, namesIn(cell)]),
    ).toEqual(declared)
  })

  it('have a row for each contained failure, with what happened', () => {
    const rows = rowsOf(section('## Contained failures', '## Fields'))

    expect(rows.map(([message]) => message)).toEqual(failures)
    for (const [message, meaning = ''] of rows) expect(meaning, message).toMatch(/\w+ \w+.*\.$/)
  })

  it('use each field of the table of fields, and no other', () => {
    const rows = rowsOf(page.slice(page.indexOf('## Fields')))
    const used = new Set(['registry', ...documented.flatMap(([, , cell = '']) => namesIn(cell))])

    expect(rows.map(([name = '']) => namesIn(name)[0]).toSorted()).toEqual([...used].toSorted())
    for (const [name, type = '', meaning = ''] of rows) {
      expect(type, name).not.toBe('')
      expect(meaning, name).toMatch(/\w+ \w+.*\.$/)
    }
  })

  it('are made in one file', () => {
    const others = sources.filter(
      (source) => source !== path && /\blevel: '(debug|info|warn|error)'/.test(read(source)),
    )

    expect(others.filter((source) => source !== 'src/core/events/logger.ts')).toEqual([])
  })
})
