import { posix } from 'node:path'

/**
 * Files of the repository outside of `docs/` that are a part of the site, and of the package: the build of
 * the site copies them to `docs/project/` and `docs/public/project/`, under the same paths.
 */
const outside =
  /^(?:(?:CHANGELOG|CONTRIBUTING|SECURITY|benchmarks\/(?:\w+\/)?\w+)\.md|LICENSE|benchmarks\/plots\/[\w-]+\.svg)$/

/** Reports whether the site has a copy of a file of the repository that is outside of `docs/`. */
export function isCopied(path: string): boolean {
  return outside.test(path)
}

/** Returns the path in `docs/` of the copy of a file. */
export function copyOf(path: string): string {
  return `project/${path === 'LICENSE' ? 'LICENSE.md' : path}`
}

/**
 * Returns the path in `docs/` of what a relative link of a page leads to, with its anchor; `undefined` if the
 * site does not have it. `page` is the path of the page in `docs/`.
 */
export function targetOnSite(page: string, link: string): string | undefined {
  const [file = '', anchor] = link.split('#')
  const copied = page.startsWith('project/')
  const source = copied ? page.slice('project/'.length) : `docs/${page}`
  const target = posix.normalize(posix.join(posix.dirname(source), file))
  // The start page of the site has the place of the README, but not its headings.
  if (target === 'README.md') return 'index.md'
  const onSite = target.startsWith('docs/')
    ? target.slice('docs/'.length)
    : isCopied(target)
      ? copyOf(target)
      : undefined
  return onSite === undefined || anchor === undefined ? onSite : `${onSite}#${anchor}`
}
