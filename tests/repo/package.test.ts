import { describe, expect, it } from 'vitest'
import { entries, specifierOf } from '../../scripts/entries.ts'
import { files, read } from './tracked-files.ts'

const manifest = JSON.parse(read('package.json'))

describe('the entries of the package', () => {
  const exported = Object.keys(manifest.exports).filter((key) => key !== './package.json')

  it('match scripts/entries.ts, each with a file', () => {
    expect(exported.map((key) => (key === '.' ? 'index' : key.slice(2)))).toEqual(Object.keys(entries))
    for (const path of Object.values(entries)) expect(files).toContain(path)
  })

  it('match tsconfig.json, with the same files', () => {
    const { paths } = JSON.parse(read('tsconfig.json')).compilerOptions as { paths: Record<string, [string]> }
    const expected = Object.entries(entries).map(([entry, path]) => [specifierOf(entry), [`./${path}`]])

    expect(Object.entries(paths)).toEqual(expected)
  })

  it.each(exported)('have types first, for ESM and CJS: %s', (key) => {
    const name = key === '.' ? 'index' : key.slice(2)

    expect(JSON.stringify(manifest.exports[key])).toBe(
      JSON.stringify({
        import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
        require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
      }),
    )
  })
})

describe('the repository', () => {
  it('has the version of the newest heading of the changelog', () => {
    const newest = /^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$/m.exec(read('CHANGELOG.md'))?.[1]

    expect(manifest.version).toBe(newest)
    expect(JSON.parse(read('package-lock.json')).version).toBe(newest)
  })

  it('locks its dependencies without a registry’s name', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"')
  })

  it('contains no path of a machine, and no registry', () => {
    const machine =
      /(?<![\w.])\/(home|Users|root|work|tmp|mnt)\/[\w-]|[A-Z]:\\\\?Users|localhost:4873|registry\.npm|\.internal\b/
    const text = files.filter((path) => !/\.(svg|png)$/.test(path) && path !== 'tests/repo/package.test.ts')

    expect(text.filter((path) => machine.test(read(path)))).toEqual([])
  })

  it('runs in CI the test command of the README', () => {
    const command = /`npm ci && (npm test)`/.exec(read('README.md'))?.[1] ?? 'none'

    expect(read('.ci/run')).toContain(`\n${command}\n`)
    expect(manifest.scripts.test).toBe('npm run check')
  })
})
