export { fileStore } from './file/file-store.ts'
