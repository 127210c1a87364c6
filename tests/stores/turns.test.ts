import { join } from 'node:path'
import { fileStore } from 'session-registry/stores/file'
import { postgresStore } from 'session-registry/stores/postgres'
import { describeOnPostgres, testPool } from '../support/postgres-suite.ts'
import { openDatabase, storeIn } from '../support/sqlite-databases.ts'
import { testFolder } from '../support/test-folder.ts'
import { describeSharedTurns } from './turns-of-processes.ts'

describeSharedTurns('files', () => {
  const folder = testFolder()
  return { source: { kind: 'file', folder }, store: fileStore(folder) }
})

describeSharedTurns('SQLite', () => {
  const path = join(testFolder(), 'sessions.db')
  return { source: { kind: 'sqlite', path }, store: storeIn(openDatabase(path)) }
})

describeOnPostgres('the turns of a registry on PostgreSQL', (postgres) => {
  describeSharedTurns('PostgreSQL', () => {
    const { url } = postgres()
    return { source: { kind: 'postgres', url }, store: postgresStore(testPool(url)) }
  })
})
