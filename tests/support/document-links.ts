import { posix } from 'node:path'
import { withoutCodeBlocks } from '../../scripts/anchors.ts'

/** Returns the targets of the links and pictures of a Markdown document, without those of other sites. */
export function linksOf(document: string): string[] {
  const text = withoutCodeBlocks(document).replaceAll(/`[^`\n]*`/g, '')
  const forms = [
    /\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g,
    /^\[[^\]]+\]: +(\S+)/gm,
    / (?:href|src|srcset)="([^"]+)"/g,
    // Of the front matter.
    /^ +link: (\S+)$/gm,
  ]
  const found = forms.flatMap((form) => Array.from(text.matchAll(form), ([, link = '']) => link))
  return found.filter((link) => !/^(?:https?|mailto):/.test(link))
}

/** Returns the path of the file that a link of a document leads to. */
export function targetOf(path: string, link: string): string {
  const [file = ''] = link.split('#')
  if (file === '') return path
  // From the root of the site, which is `docs`: the front matter of the start page.
  const folder = file.startsWith('/') ? 'docs' : posix.dirname(path)
  return posix.normalize(posix.join(folder, decodeURIComponent(file)))
}
