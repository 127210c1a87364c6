import { readFile, writeFile } from 'node:fs/promises'
import { fillCodeBlocks } from './code-blocks.ts'
import { documents } from './pages.ts'

// Copies the examples into the documents that show them: `npm run fix:docs`. A test fails when they differ.
for (const document of documents) {
  const text = await readFile(document, 'utf8')
  await writeFile(document, await fillCodeBlocks(text, (path) => readFile(path, 'utf8')))
}
