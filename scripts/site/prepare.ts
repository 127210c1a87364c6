import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, Converter } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import { files } from '../../tests/repo/tracked-files.ts'
import { entries, specifierOf } from '../entries.ts'
import { copyOf, isCopied } from './site-files.ts'

// Makes the pages of the site that are not committed: the reference of the API in `docs/api`, from the
// docstrings, and in `docs/project` and `docs/public` copies of files that stand outside of `docs`.
process.chdir(fileURLToPath(new URL('../..', import.meta.url)))
for (const folder of ['docs/api', 'docs/project', 'docs/public'])
  await rm(folder, { recursive: true, force: true })
await writeReference()
for (const path of files.filter(isCopied)) await copyToSite(path)

async function writeReference(): Promise<void> {
  const markdown: Partial<PluginOptions> = {
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    expandParameters: true,
    parametersFormat: 'table',
    enumMembersFormat: 'table',
    typeDeclarationFormat: 'table',
    indexFormat: 'table',
    tableColumnSettings: { hideSources: true, hideModifiers: true, hideInherited: true },
    entryFileName: 'index',
    navigationJson: 'docs/api/navigation.json',
  }
  const app = await Application.bootstrapWithPlugins({
    name: 'API',
    // Typedoc empties this folder.
    out: 'docs/api',
    entryPoints: Object.values(entries),
    tsconfig: 'scripts/site/tsconfig.json',
    plugin: ['typedoc-plugin-markdown'],
    readme: 'none',
    disableSources: true,
    excludeExternals: true,
    excludePrivate: true,
    excludeInternal: true,
    githubPages: false,
    hideGenerator: true,
    sort: ['source-order'],
    sortEntryPoints: false,
    ...markdown,
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const [entry, path] of Object.entries(entries)) {
      const module = project.children?.find(
        ({ name }) => `src/${name}.ts` === path || `src/${name}/index.ts` === path,
      )
      if (module === undefined) throw new Error(`Expected a module for ${path}, got none`)
      module.name = specifierOf(entry)
    }
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('typedoc could not read the sources')
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('typedoc found errors')
}

async function copyToSite(path: string): Promise<void> {
  // Pictures are not pages: the site serves what is in `public` as it is.
  const copy = join(path.endsWith('.svg') ? 'docs/public' : 'docs', copyOf(path))
  await mkdir(dirname(copy), { recursive: true })
  if (path === 'LICENSE') await writeFile(copy, `# License\n\n${await readFile(path, 'utf8')}`)
  else await cp(path, copy)
}
