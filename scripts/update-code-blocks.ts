import { readFile, writeFile } from 'node:fs/promises'
import { documents, fillCodeBlocks } from './code-blocks.ts'

/** Puts the examples into the documents that show them: `npm run fix:docs`. A test says when it is due. */
for (const document of documents) {
  const text = await readFile(document, 'utf8')
  await writeFile(document, await fillCodeBlocks(text, (path) => readFile(path, 'utf8')))
}
