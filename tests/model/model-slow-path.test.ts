import { withoutFastPath } from '../support/without-fast-path.ts'
import { compareWithModel } from './model-property.ts'

withoutFastPath()

compareWithModel('the registry without its fast path')
