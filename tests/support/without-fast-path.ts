import { afterAll, beforeAll } from 'vitest'
import { disableFastPath } from '../../src/memory/fast-path/switch.ts'

/** Makes all registries of a test file take the slow path. */
export function withoutFastPath(): void {
  let restore = () => {}
  beforeAll(() => {
    restore = disableFastPath()
  })
  // Files may share a process.
  afterAll(() => restore())
}
