import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { withoutCodeBlocks } from '../../scripts/anchors.ts'
import { pages } from '../../scripts/pages.ts'
import { documentedAt, textAt } from './documented-at.ts'
import { documents, files, read, sources } from './tracked-files.ts'

const readme = read('README.md')
const startPage = 'docs/index.md'

describe('the README', () => {
  it('defines the library and shows code before line 20', () => {
    const lines = readme.split('\n')

    expect(lines[2]).toMatch(/^Keeps .+\.$/)
    expect(lines.findIndex((line) => line.startsWith('```ts'))).toBeLessThan(10)
    expect(lines.slice(0, 20).join('\n')).toMatch(/\.(getOrCreate|run)\(/)
  })

  it('has at most 200 lines and 12 kB', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(200)
    expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(12 * 1024)
  })
})

describe('a page', () => {
  it.each(pages.filter((path) => path !== startPage))(
    'says what it is for, and shows code before line 20: %s',
    (path) => {
      const lines = read(path).split('\n')

      expect(lines[0]).toMatch(/^# \S/)
      expect(lines[2]).toMatch(/^[A-Z`]/)
      expect(lines.slice(0, 20).findIndex((line) => line.startsWith('```'))).toBeGreaterThan(0)
    },
  )
})

describe('a skill', () => {
  const skills = documents.filter((path) => path.startsWith('skills/'))

  it.each(skills)('has at most 150 lines, its name and a description: %s', (path) => {
    const [, head = ''] = /^---\n([\s\S]*?)\n---\n/.exec(read(path)) ?? []
    const [, description = ''] = /^description: (?:>-)?((?:.|\n {2})+)/m.exec(head) ?? []

    expect(read(path).trimEnd().split('\n').length).toBeLessThanOrEqual(150)
    expect(head).toContain(`name: ${basename(dirname(path))}\n`)
    expect(description.length).toBeGreaterThan(50)
    expect(description.length).toBeLessThanOrEqual(1024)
  })

  it('is in the package', () => {
    expect(skills).toEqual(['skills/session-registry/SKILL.md'])
  })
})

describe('the registry of one process', () => {
  it('is documented with its options and their defaults', () => {
    const options = [
      ...declaredOptions('src/core/options/shared-options.ts', 'SharedOptions'),
      ...declaredOptions('src/core/options/store-options.ts', 'StoreOptions'),
      ...declaredOptions('src/memory/options.ts', 'SessionRegistryOptions'),
    ]
    const rows = rowsOf(textAt(documentedAt.options)).map(
      ([name, cells]) => [name, plain(cells[1] ?? '')] as const,
    )

    expect(rows.map(([name]) => name).toSorted()).toEqual(options.map(([name]) => name).toSorted())
    for (const [name, text] of rows) {
      const documented = options.find(([option]) => option === name)?.[1]
      expect(firstWord(text), name).toBe(firstWord(plain(documented ?? '–')))
    }
  })

  it('is documented with each member, statistic, event and reason', () => {
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
    const text = documentedAt.members.map(read).join('\n')
    const names = [...members, ...fields, ...events, ...reasons]
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
  })
})

describe('the registry on Redis', () => {
  const section = textAt(documentedAt.redisOptions)

  it('is documented with its options and their defaults', () => {
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

  it('is documented with each shared option in the sentence before the table', () => {
    const shared = declaredOptions('src/core/options/shared-options.ts', 'SharedOptions').map(
      ([name]) => name,
    )
    const sentence = section.slice(0, section.indexOf('\n| option'))
    const own = rowsOf(section).map(([name]) => name)

    expect(shared.length).toBeGreaterThan(10)
    expect(shared.filter((name) => !own.includes(name) && !sentence.includes(`\`${name}\``))).toEqual([])
  })

  it('is documented with each public member', () => {
    const text = documentedAt.redisMembers.map(read).join('\n')
    const members = Array.from(
      read('src/redis/session-registry.ts').matchAll(/^ {2}(?:async )?(?:get |\*)?(\w+)(?:<R>)?\(/gm),
      ([, name]) => name ?? '',
    ).filter((name) => name !== 'constructor')

    expect(members.length).toBeGreaterThan(15)
    expect(members.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
  })
})

describe('the page on the architecture', () => {
  const mentions = read(documentedAt.architecture).matchAll(/`((?:[\w.-]+\/)*[\w.-]+(?:\.ts|\/))`/g)
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

  it('have a section each, and no other code has one', () => {
    const text = read(documentedAt.errors)

    expect(Array.from(text.matchAll(/^## (ERR_\w+)$/gm), ([, one]) => one)).toEqual(codes)
  })

  it.each(documentedAt.errorTables)('have a row each, with a meaning: $page', (place) => {
    const rows = errorRows(textAt(place))

    expect(rows.map(([one]) => one)).toEqual(codes)
    for (const [one, meaning] of rows) expect(meaning, one).toMatch(/`\w+`|\w+ \w+/)
  })

  it('are marked alike in each table if they are for Redis only', () => {
    const marked = documentedAt.errorTables.map((place) =>
      errorRows(textAt(place)).flatMap(([one, meaning]) =>
        /\(Redis only\)$|\| yes$/.test(meaning) ? [one] : [],
      ),
    )

    expect(marked[0]?.length).toBeGreaterThan(0)
    for (const one of marked) expect(one).toEqual(marked[0])
  })

  it.each(documents)('exist if a document names them: %s', (path) => {
    const named = Array.from(read(path).matchAll(/\bERR_SESSION_\w+/g), ([one]) => one)

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
        withoutCodeBlocks(read(path))
          .split('\n')
          .filter((line) => avoided.test(line)),
      ).toEqual([])
    },
  )
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

/** The rows of a table that begin with an error code, each with what comes after it. */
function errorRows(table: string): (readonly [code: string, rest: string])[] {
  return Array.from(
    table.matchAll(/^\| \[?`(ERR_\w+)`\S* +\|(.*)\|$/gm),
    ([, code = '', rest = '']) => [code, rest.trim()] as const,
  )
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
