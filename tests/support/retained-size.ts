import { getHeapSnapshot } from 'node:v8'

interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[]
      readonly node_types: readonly [readonly string[]]
      readonly edge_fields: readonly string[]
      readonly edge_types: readonly [readonly string[]]
    }
  }
  readonly nodes: readonly number[]
  readonly edges: readonly number[]
  readonly strings: readonly string[]
}

/** What belongs to the program, not to its data. */
const notData = new Set(['object shape', 'code', 'closure', 'hidden', 'native', 'synthetic'])

/** The value of a property of this class is measured. */
export class Measured {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/**
 * Returns the bytes of the heap that plain data takes, with what only V8 sees: the spare room of arrays, and
 * the parts of concatenated strings. One size for each instance of {@link Measured}, the smallest first.
 */
export async function retainedSizes(): Promise<number[]> {
  let text = ''
  for await (const part of getHeapSnapshot()) text += part
  const { snapshot, nodes, edges, strings }: HeapSnapshot = JSON.parse(text)
  const { node_fields, node_types, edge_fields, edge_types } = snapshot.meta
  const field = (name: string) => node_fields.indexOf(name)
  const [type, name, size, edgeCount] = [
    field('type'),
    field('name'),
    field('self_size'),
    field('edge_count'),
  ]
  const firstEdges: number[] = []
  const roots: number[] = []
  let edge = 0
  for (let node = 0; node < nodes.length; node += node_fields.length) {
    firstEdges.push(edge)
    edge += (nodes[node + edgeCount] ?? 0) * edge_fields.length
    const isObject = node_types[0][nodes[node + type] ?? 0] === 'object'
    if (isObject && strings[nodes[node + name] ?? 0] === Measured.name) roots.push(node)
  }
  const isData = (node: number) => !notData.has(node_types[0][nodes[node + type] ?? 0] ?? '')
  const sizes = roots.map((root) => {
    const seen = new Set<number>()
    const todo = [root]
    let bytes = 0
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      if (seen.has(node) || !isData(node)) continue
      seen.add(node)
      bytes += nodes[node + size] ?? 0
      const first = firstEdges[node / node_fields.length] ?? 0
      const end = first + (nodes[node + edgeCount] ?? 0) * edge_fields.length
      for (let at = first; at < end; at += edge_fields.length) {
        if (edge_types[0][edges[at] ?? 0] !== 'weak') todo.push(edges[at + 2] ?? 0)
      }
    }
    return bytes
  })
  return sizes.sort((a, b) => a - b)
}
