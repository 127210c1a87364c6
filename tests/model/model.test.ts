import { compareWithModel } from './model-property.ts'

compareWithModel('the registry')
