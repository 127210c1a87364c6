import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { codeBlocks, fillCodeBlocks, unreadableBlocks } from '../../scripts/code-blocks.ts'
import { documents } from '../../scripts/pages.ts'
import { code, files, read } from './tracked-files.ts'

/** The files that the tests run: the tests themselves, the small examples, and all that these import. */
function filesRun(): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (path: string): void => {
    if (found.has(path) || !files.includes(path)) return
    found.add(path)
    for (const { fileName } of ts.preProcessFile(read(path)).importedFiles) {
      if (fileName.startsWith('.')) visit(join(dirname(path), fileName))
    }
  }
  const tests = code.filter((path) => path.startsWith('tests/'))
  for (const path of [...tests, ...code.filter((one) => /^examples\/[\w-]+\.ts$/.test(one))]) visit(path)
  for (const path of tests) {
    for (const [, named = ''] of read(path).matchAll(/['"`](?:\.\.\/)*(examples\/[\w/-]+\.\w+)/g))
      visit(named)
  }
  return found
}

describe('the code of a document', () => {
  const run = filesRun()

  it.each(documents)('is that of examples that the tests run: %s', async (path) => {
    const text = read(path)
    const named = codeBlocks(text).map(({ source, code: shown }) => source?.split('#')[0] ?? `none: ${shown}`)

    expect(named.filter((source) => !source.startsWith('examples/'))).toEqual([])
    expect(named.filter((source) => !run.has(source))).toEqual([])
    expect(await fillCodeBlocks(text, async (example) => read(example))).toBe(text)
  })

  it.each(documents)('is in blocks of `ts` or `js` that start a line: %s', (path) => {
    expect(unreadableBlocks(read(path))).toEqual([])
  })

  it('is found in all documents', () => {
    const blocks = documents.flatMap((path) => codeBlocks(read(path)))

    expect(blocks.length).toBeGreaterThan(25)
    expect(blocks.filter((block) => block.code.trim() === '')).toEqual([])
  })

  it('would be missed in other blocks', () => {
    const fences = ['  ```ts', '```typescript', '> ```js', '~~~ts', '```ts{2}', '```tsx', '```mjs', '````ts']

    expect(fences.flatMap((line) => unreadableBlocks(`${line}\n`))).toEqual(fences)
    expect(['```json', '```sh', '```', '```yaml'].flatMap((line) => unreadableBlocks(`${line}\n`))).toEqual(
      [],
    )
  })
})
