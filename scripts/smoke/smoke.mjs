import * as root from 'session-registry'
import * as testing from 'session-registry/testing'
import { smoke } from './smoke-steps.cjs'

await smoke(root, testing)
