import { describe, expect, it } from 'vitest'
import { read } from './tracked-files.ts'

interface Manifest {
  readonly version: string
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
}

const manifest: Manifest = JSON.parse(read('package.json'))

/** Whether a range of `>=` and `<` admits a version. */
function admits(range: string, version: string): boolean {
  return range.split(' || ').some((all) =>
    all.split(' ').every((one) => {
      const [, operator, bound = ''] = /^(>=|<)(\d+\.\d+\.\d+)$/.exec(one) ?? []
      if (operator === undefined) throw new Error(`Expected only >= and < in a range, got ${one}`)
      const order = version.localeCompare(bound, 'en', { numeric: true })
      return operator === '>=' ? order >= 0 : order < 0
    }),
  )
}

/** Versions with a known hole, the last and the first of each, and the first without it. */
const holes: Readonly<Record<string, { readonly bad: readonly string[]; readonly good: readonly string[] }>> =
  {
    // CVE-2025-68665: what a visitor wrote could come back as a LangChain object, with secrets of the
    // environment.
    '@langchain/core': {
      bad: ['0.1.0', '0.2.36', '0.3.0', '0.3.79', '1.0.0', '1.0.6', '1.1.0', '1.1.7'],
      good: ['0.3.80', '1.1.8', '1.1.48', '1.2.0', '1.4.0', '2.0.0'],
    },
    // Up to 1.1.3 the serializer called whatever method a stored text named.
    '@langchain/langgraph-checkpoint': {
      bad: ['0.0.18', '0.1.0', '1.0.0', '1.1.3'],
      good: ['1.1.5', '1.2.2', '2.0.0'],
    },
    // CVE-2025-48985: the list of file types that may be uploaded could be passed by.
    ai: { bad: ['4.3.19', '5.0.0', '5.0.51'], good: ['5.0.52', '6.0.0', '7.0.173'] },
    // None is known; 1.9.0 is the oldest that the SDK 2 accepts.
    '@opentelemetry/api': { bad: ['1.4.1', '1.8.0'], good: ['1.9.0', '1.9.1', '1.10.0', '2.0.0'] },
    // None is known; 15.1.3 is the oldest that was tested.
    'prom-client': { bad: ['14.2.0', '15.1.2'], good: ['15.1.3', '15.2.0', '16.0.0'] },
    // None is known; before 0.2.1 there was no `Session`.
    '@openai/agents': { bad: ['0.1.11', '0.2.0'], good: ['0.2.1', '0.20.0', '1.0.0'] },
  }

describe('the peers of the package', () => {
  it('are optional, each with its known vulnerabilities recorded', () => {
    const peers = Object.keys(manifest.peerDependencies)

    expect(peers.filter((peer) => manifest.peerDependenciesMeta[peer]?.optional !== true)).toEqual([])
    expect(Object.keys(holes).toSorted()).toEqual(peers.toSorted())
  })

  it.each(Object.entries(holes))('exclude vulnerable versions: %s', (peer, { bad, good }) => {
    const range = manifest.peerDependencies[peer] ?? ''

    expect(bad.filter((version) => admits(range, version))).toEqual([])
    expect(good.filter((version) => !admits(range, version))).toEqual([])
  })

  it('match the lock file, whose versions the ranges admit', () => {
    const { packages } = JSON.parse(read('package-lock.json'))

    expect(packages[''].peerDependencies).toEqual(manifest.peerDependencies)
    for (const [peer, range] of Object.entries(manifest.peerDependencies)) {
      expect(admits(range, packages[`node_modules/${peer}`].version), peer).toBe(true)
    }
  })
})
