/**
 * A store in a folder of files: {@link fileStore}.
 *
 * @module
 */
export { fileStore } from './file/file-store.ts'
