import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DefaultTheme } from 'vitepress'
import { groups } from './groups.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))

/** Returns the sidebar: the written pages, and the generated reference. */
export function sidebar(): DefaultTheme.SidebarItem[] {
  const written = groups.map(({ text, pages, collapsed }) => ({
    text,
    ...(collapsed === undefined ? {} : { collapsed }),
    items: Object.entries(pages).map(([page, title]) => ({ text: title, link: `/${page}` })),
  }))
  const overview = { text: 'Overview', link: '/api/' }
  return [...written, { text: 'API', collapsed: true, items: [overview, ...reference()] }]
}

interface NavigationItem {
  readonly title: string
  readonly path?: string | null
  readonly children?: readonly NavigationItem[]
}

/** Returns the pages of the generated reference, as typedoc lists them. */
function reference(): DefaultTheme.SidebarItem[] {
  const list = `${docs}api/navigation.json`
  if (!existsSync(list)) return []
  const toItem = ({ title, path, children }: NavigationItem): DefaultTheme.SidebarItem => ({
    text: title,
    ...(path ? { link: `/api/${path.replace(/(?:index)?\.md$/, '')}` } : {}),
    ...(children ? { collapsed: true, items: children.map(toItem) } : {}),
  })
  return (JSON.parse(readFileSync(list, 'utf8')) as NavigationItem[]).map(toItem)
}
