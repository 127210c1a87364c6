import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { median } from './median.ts'

export interface ImportCost {
  readonly importMs: number
  /** With `logger: true`, which loads pino. */
  readonly importWithPinoMs: number
  /** The time of `require`, for the CJS build. */
  readonly requireMs: number
  /** Size of the published root entry with its chunks. */
  readonly bytes: number
  readonly gzippedBytes: number
  /** Whether pino was loaded without a logger. */
  readonly isPinoLoaded: boolean
}

const run = promisify(execFile)
const build = fileURLToPath(new URL('../dist/', import.meta.url))
const rounds = 15

const loadsPino =
  "process.moduleLoadList.length, Object.keys(require('node:module')._cache).some((path) => /[\\\\/]pino[\\\\/]/.test(path))"

/** Measures the time of loading the root entry in new processes of `node`, and its size. */
export async function measureImport(node: string): Promise<ImportCost> {
  const load = `import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)})`
  const entry = await entryText()
  return {
    importMs: await time(node, `await ${load}`),
    importWithPinoMs: await time(
      node,
      `const { SessionRegistry } = await ${load}; new SessionRegistry({ logger: true })`,
    ),
    requireMs: await time(node, `require(${JSON.stringify(`${build}index.cjs`)})`),
    bytes: Buffer.byteLength(entry),
    gzippedBytes: gzipSync(entry).length,
    isPinoLoaded: (await evaluate(node, `await ${load}; console.log(${loadsPino})`)) === 'true',
  }
}

/** Returns the text of the entry and of the chunks that it shares with other entries. */
async function entryText(): Promise<string> {
  const index = await readFile(`${build}index.js`, 'utf8')
  const chunks = (await readdir(build)).filter(
    (name) => name.endsWith('.js') && index.includes(`'./${name}'`),
  )
  const quoted = (await readdir(build)).filter(
    (name) => name.endsWith('.js') && index.includes(`"./${name}"`),
  )
  const texts = await Promise.all([...chunks, ...quoted].map((name) => readFile(build + name, 'utf8')))
  return index + texts.join('')
}

async function time(node: string, code: string): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const timed = `const at = performance.now(); ${code}; console.log(performance.now() - at)`
    samples.push(Number(await evaluate(node, timed)))
  }
  return median(samples)
}

async function evaluate(node: string, code: string): Promise<string> {
  const { stdout } = await run(node, ['-e', `(async () => { ${code} })()`])
  return stdout.trim()
}
