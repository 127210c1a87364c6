import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Folders and files in `docs/` that are no pages: the site's configuration, and what the build generates. */
const generated = /^docs\/(\.vitepress|api|project)\//

/** Returns the Markdown files in a folder of the repository, by path. */
function markdownIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.md') && !generated.test(path))
    .toSorted()
}

/** The pages of `docs/`, of which the site is made. */
export const pages: readonly string[] = markdownIn('docs')

/** The documents for users, with the code that they show: the README, the skills and the pages. */
export const documents: readonly string[] = ['README.md', ...markdownIn('skills'), ...pages]
