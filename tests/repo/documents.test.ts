import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeBlocks, fillCodeBlocks, documents as withCode } from '../../scripts/code-blocks.ts'
import { documents, files, read, sources } from './tracked-files.ts'

const readme = read('README.md')

describe('the code of a document', () => {
  it.each(withCode)('is that of the examples: %s', async (path) => {
    const text = read(path)

    expect(codeBlocks(text).length).toBeGreaterThan(0)
    expect(await fillCodeBlocks(text, async (example) => read(example))).toBe(text)
  })
})

describe('the README', () => {
  it('shows only code that is run', () => {
    const blocks = codeBlocks(readme)

    expect(blocks.length).toBeGreaterThanOrEqual(6)
    for (const { source, code } of blocks) {
      expect(source, code).toMatch(/^examples\//)
      expect(code.trim()).not.toBe('')
    }
  })

  it('defines the library and shows code before line 20', () => {
    const lines = readme.split('\n')

    expect(lines[2]).toMatch(/^Keeps .+\.$/)
    expect(lines.findIndex((line) => line.startsWith('```ts'))).toBeLessThan(10)
    expect(lines.slice(0, 20).join('\n')).toContain('getOrCreate')
  })

  it('lists the options with their defaults', () => {
    const options = [
      ...declaredOptions('src/core/options/shared-options.ts', 'SharedOptions'),
      ...declaredOptions('src/core/options/store-options.ts', 'StoreOptions'),
      ...declaredOptions('src/memory/options.ts', 'SessionRegistryOptions'),
    ]
    const table = readme.slice(readme.indexOf('\n## Options'), readme.indexOf('\n## Reading'))
    const rows = rowsOf(table).map(([name, cells]) => [name, plain(cells[1] ?? '')] as const)

    expect(rows.map(([name]) => name).toSorted()).toEqual(options.map(([name]) => name).toSorted())
    for (const [name, text] of rows) {
      const documented = options.find(([option]) => option === name)?.[1]
      expect(firstWord(text), name).toBe(firstWord(plain(documented ?? '–')))
    }
  })

  it('names each member, event, reason and code of this registry', () => {
    const members = Array.from(
      read('src/memory/session-registry.ts').matchAll(/^ {2}(?:get |\*)?(\w+)(?:<R>)?\(/gm),
      ([, name]) => name,
    ).filter((name) => name !== 'constructor')
    const fields = Array.from(
      read('src/core/stats.ts').matchAll(/^ {2}readonly (\w+):/gm),
      ([, name]) => name,
    )
    const events = Array.from(
      read('src/core/events/session-events.ts').matchAll(/^ {2}(\w+): \[/gm),
      ([, name]) => name,
    )
    const reasons = Array.from(
      read('src/core/end-reason.ts').matchAll(/^ \* - `(\w+)`/gm),
      ([, name]) => name,
    )

    expect(members.length).toBeGreaterThan(15)
    for (const name of [...members, ...fields, ...events, ...reasons]) expect(readme).toContain(name)
  })
})

describe('docs/redis.md', () => {
  const text = read('docs/redis.md')
  const section = text.slice(text.indexOf('\n## Options'), text.indexOf('\n## Moving from'))

  it('lists the options of the registry on Redis with their defaults', () => {
    const options = declaredOptions('src/redis/options.ts', 'RedisSessionRegistryOptions')
    const rows = rowsOf(section)

    expect(rows.map(([name]) => name).toSorted()).toEqual(
      [...options.map(([name]) => name), 'client'].toSorted(),
    )
    for (const [name, cells] of rows.filter(([one]) => one !== 'client')) {
      const documented = options.find(([option]) => option === name)?.[1]
      expect(firstWord(plain(cells[1] ?? '')), name).toBe(firstWord(plain(documented ?? '–')))
    }
  })

  it('names each shared option in the sentence before the table', () => {
    const shared = declaredOptions('src/core/options/shared-options.ts', 'SharedOptions').map(
      ([name]) => name,
    )
    const sentence = section.slice(0, section.indexOf('\n| option'))
    const own = rowsOf(section).map(([name]) => name)

    expect(shared.length).toBeGreaterThan(10)
    expect(shared.filter((name) => !own.includes(name) && !sentence.includes(`\`${name}\``))).toEqual([])
  })

  it('names each public member of the class', () => {
    const members = Array.from(
      read('src/redis/session-registry.ts').matchAll(/^ {2}(?:async )?(?:get |\*)?(\w+)(?:<R>)?\(/gm),
      ([, name]) => name ?? '',
    ).filter((name) => name !== 'constructor')

    expect(members.length).toBeGreaterThan(15)
    expect(members.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
  })
})

describe('docs/architecture.md', () => {
  const mentions = read('docs/architecture.md').matchAll(/`((?:[\w.-]+\/)*[\w.-]+(?:\.ts|\/))`/g)
  const named = Array.from(mentions, ([, path]) => path ?? '')
  const exists = (path: string) =>
    files.some((file) => (path.endsWith('/') ? file.startsWith(path) : file === path))

  it('names only files and folders that exist', () => {
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter((path) => !exists(`src/${path}`) && !exists(path))).toEqual([])
  })

  it('names each folder of the source', () => {
    const folders = new Set(sources.map((path) => `${dirname(path)}/`.slice('src/'.length)))

    expect([...folders].filter((folder) => folder !== '' && !named.includes(folder))).toEqual([])
  })
})

describe('the error codes', () => {
  const codes = Array.from(
    read('src/core/errors/session-registry-error.ts').matchAll(/^ {2}\| '(ERR_\w+)'/gm),
    ([, one]) => one,
  ).toSorted()
  const text = read('docs/errors.md')

  it('match docs/errors.md, both ways', () => {
    expect(Array.from(text.matchAll(/^## (ERR_\w+)$/gm), ([, one]) => one)).toEqual(codes)
    expect(Array.from(text.matchAll(/^\| \[`(ERR_\w+)`\]/gm), ([, one]) => one)).toEqual(codes)
  })

  it('match the table in the README, each with a meaning', () => {
    const section = readme.slice(readme.indexOf('\n## Errors'), readme.indexOf('\n## Logging'))
    const rows = Array.from(section.matchAll(/^\| `(ERR_\w+)` +\| (.*) \|$/gm))

    expect(rows.map(([, one]) => one)).toEqual(codes)
    for (const [, one, meaning = ''] of rows) expect(meaning.trim(), one).toMatch(/\w+ \w+/)
  })

  it('are marked in the README if they are for Redis only, as in docs/errors.md', () => {
    const ofRedis = Array.from(text.matchAll(/^\| \[`(ERR_\w+)`\].*\| yes +\|$/gm), ([, one]) => one)

    expect(ofRedis.length).toBeGreaterThan(0)
    expect(Array.from(readme.matchAll(/^\| `(ERR_\w+)`.*\(Redis only\) +\|$/gm), ([, one]) => one)).toEqual(
      ofRedis,
    )
  })

  it('exist if the README names them', () => {
    const named = Array.from(readme.matchAll(/`(ERR_SESSION_\w+)`/g), ([, one]) => one)

    expect(named.filter((one) => !codes.includes(one))).toEqual([])
  })
})

describe('the words of a document', () => {
  const avoided = /\b(whoever|nobody|somebody|anybody|lets? go|put away|handed back)\b/i

  // CONTRIBUTING.md lists the words.
  it.each(documents.filter((path) => path !== 'CONTRIBUTING.md'))(
    'are those of the page on style: %s',
    (path) => {
      expect(
        withoutCode(read(path))
          .split('\n')
          .filter((line) => avoided.test(line)),
      ).toEqual([])
    },
  )
})

describe('the links of a document', () => {
  it.each(documents)('resolve: %s', (path) => {
    const links = Array.from(withoutCode(read(path)).matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link)
    const broken = links
      .filter((link) => !/^(https?|mailto):/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#')
        const target = file === '' ? path : normalize(join(dirname(path), file))
        return !existsSync(target) || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor))
      })

    expect(broken).toEqual([])
  })
})

/** The rows of a table that begin with a name in code, each with the cells after it. */
function rowsOf(table: string): (readonly [name: string, cells: string[]])[] {
  return Array.from(
    table.matchAll(/^\| `(\w+)` +\|(.*)\|$/gm),
    // A `|` inside code is escaped.
    ([, name = '', rest = '']) => [name, rest.split(/(?<!\\)\|/)] as const,
  )
}

/** The options of an interface, each with its default where there is one. */
function declaredOptions(
  path: string,
  name: string,
): (readonly [name: string, byDefault: string | undefined])[] {
  const source = read(path)
  const declared = source.slice(source.indexOf(`export interface ${name}`))
  const body = declared.slice(0, declared.indexOf('\n}\n'))
  return Array.from(
    body.matchAll(/\/\*\*([\s\S]*?)\*\/\n {2}readonly (\w+)\?:/g),
    ([, comment = '', option = '']) => [option, /@defaultValue (.+)/.exec(comment)?.[1]] as const,
  )
}

function anchorsOf(document: string): string[] {
  return Array.from(withoutCode(document).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

function withoutCode(document: string): string {
  return document.replaceAll(/```[\s\S]*?```/g, '')
}

/** A cell or a default without what is only typography. */
function plain(text: string): string {
  return text
    .replaceAll(/[`']/g, '')
    .replaceAll(/(?<=\d)[ _](?=\d)/g, '')
    .trim()
}

function firstWord(text: string): string {
  return text.replace(/^the globals.*/, 'globals').split(/[ ,]/)[0] ?? ''
}
