import { readFileSync, writeFileSync } from 'node:fs'
import { fillCodeBlocks } from './code-blocks.ts'
import { llmsText } from './llms-text.ts'
import { documents } from './pages.ts'

// Copies the examples into the documents that show them, and makes `llms.txt` anew: `npm run fix:docs`. Tests
// fail when something differs.
const read = (path: string) => readFileSync(path, 'utf8')

for (const document of documents) {
  writeFileSync(document, await fillCodeBlocks(read(document), async (path) => read(path)))
}
writeFileSync('llms.txt', llmsText(read))
