import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

interface Page {
  readonly ids: ReadonlySet<string>
  readonly links: readonly string[]
}

/**
 * Returns the links inside the built site that lead to no page, no file, or no heading, each with its pages.
 */
export async function deadLinks(dist: string): Promise<ReadonlyMap<string, string[]>> {
  const paths = (await readdir(dist, { recursive: true })).map((path) => path.replaceAll('\\', '/'))
  const built = new Set(paths)
  const pages = new Map<string, Page>()
  for (const path of paths.filter((one) => one.endsWith('.html'))) {
    pages.set(path, pageOf(await readFile(join(dist, path), 'utf8')))
  }
  const dead = new Map<string, string[]>()
  for (const [path, { links }] of pages) {
    for (const link of new Set(links)) {
      const { pathname, hash } = new URL(link, `file:///${path}`)
      const file = fileAt(decodeURIComponent(pathname).slice(1), built)
      const id = decodeURIComponent(hash.slice(1))
      if (file === undefined || (id !== '' && !pages.get(file)?.ids.has(id))) {
        dead.set(link, [...(dead.get(link) ?? []), path])
      }
    }
  }
  return dead
}

/** Returns the file of a site with clean URLs that answers a path. */
export function fileAt(path: string, files: ReadonlySet<string>): string | undefined {
  const folder = path.replace(/\/$/, '')
  const candidates = [path, `${path}.html`, folder === '' ? 'index.html' : `${folder}/index.html`]
  return candidates.find((candidate) => files.has(candidate) && candidate.includes('.'))
}

function pageOf(html: string): Page {
  return {
    ids: new Set(Array.from(html.matchAll(/\sid="([^"]+)"/g), ([, id = '']) => unescaped(id))),
    links: Array.from(
      html.matchAll(/<(?:a|link|img|script)\s[^>]*?\b(?:href|src)="([^"]+)"/g),
      ([, link = '']) => unescaped(link),
    ).filter((link) => !/^(?:[a-z]+:|\/\/)/.test(link)),
  }
}

function unescaped(text: string): string {
  return text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
}
