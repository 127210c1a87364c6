import { memoryHarness } from './memory-harness.ts'
import { describeSessionContract } from './session-contract.ts'

describeSessionContract('the registry of one process', memoryHarness())
