import { withoutFastPath } from '../support/without-fast-path.ts'
import { memoryHarness } from './memory-harness.ts'
import { describeSessionContract } from './session-contract.ts'

withoutFastPath()

describeSessionContract('the registry of one process without its fast path', memoryHarness())
