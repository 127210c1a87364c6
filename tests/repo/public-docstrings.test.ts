import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { entries, specifierOf } from '../../scripts/entries.ts'
import { read } from './tracked-files.ts'

/** Returns the declarations that an entry exports, by name. */
function exportedBy(entry: string): Map<string, ts.Statement | undefined> {
  const file = ts.createSourceFile(entry, read(entry), ts.ScriptTarget.Latest, true)
  const found = new Map<string, ts.Statement | undefined>()
  for (const statement of file.statements.filter(ts.isExportDeclaration)) {
    const { moduleSpecifier, exportClause } = statement
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) continue
    if (exportClause === undefined || !ts.isNamedExports(exportClause)) continue
    const path = join(dirname(entry), moduleSpecifier.text)
    const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
    for (const { name, propertyName } of exportClause.elements) {
      const wanted = (propertyName ?? name).text
      found.set(
        name.text,
        source.statements.find((one) => namesOf(one).includes(wanted)),
      )
    }
  }
  return found
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText())
  }
  const { name } = statement as ts.DeclarationStatement
  return name === undefined ? [] : [name.getText()]
}

describe('what an entry exports', () => {
  it.each(Object.entries(entries))('has a docstring each: %s', (entry, path) => {
    const exported = [...exportedBy(path)]
    const bare = exported.filter(
      ([, one]) => one === undefined || ts.getJSDocCommentsAndTags(one).length === 0,
    )

    expect(exported.length).toBeGreaterThan(0)
    expect(bare.map(([name]) => `${specifierOf(entry)}: ${name}`)).toEqual([])
  })

  it.each(Object.entries(entries))('is introduced in a sentence: %s', (_, path) => {
    expect(read(path)).toMatch(/^\/\*\*\n \* [A-Z].*[\s\S]*?\n \* @module\n \*\//)
  })
})
