import { messageCodec } from 'session-registry/langchain'

/**
 * Run in a process of its own with `--expose-gc`: reads short texts that request 2 GB, and prints the
 * memory that they took.
 */
const length = 2_000_000_000
const bytes = `{"$is":"Buffer","of":{"length":${length}}}`
const message = `[{"$is":"parts","of":{"class":"HumanMessage","fields":{"content":${bytes}},"given":[],"others":{}}}]`

function peak(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

globalThis.gc?.()
const before = peak()
let failed = 0
let most = 0
for (const read of [() => messageCodec.decode(message)]) {
  try {
    read()
  } catch {
    failed += 1
  }
  most = Math.max(most, peak() - before)
}
console.log(JSON.stringify({ failed, bytes: most }))
