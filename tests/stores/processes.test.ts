import { join } from 'node:path'
import { fileStore } from 'session-registry/stores/file'
import { openDatabase, storeIn } from '../support/sqlite-databases.ts'
import { testFolder } from '../support/test-folder.ts'
import { describeSharedStore } from './several-processes.ts'

describeSharedStore('files', () => {
  const folder = testFolder()
  return { source: { kind: 'file', folder }, store: fileStore(folder) }
})

describeSharedStore('SQLite', () => {
  const path = join(testFolder(), 'sessions.db')
  return { source: { kind: 'sqlite', path }, store: storeIn(openDatabase(path)) }
})
