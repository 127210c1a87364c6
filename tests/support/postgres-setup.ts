import { findPostgres, howToGetPostgres } from './postgres-server.ts'

/** Prints once per run that the tests on PostgreSQL are skipped. In CI it fails the run instead. */
export default function announceMissingPostgres(): void {
  if (findPostgres() !== undefined) return
  const line = `SKIPPED: the tests on PostgreSQL; to have them run, ${howToGetPostgres}`
  const { CI_REQUIRE_POSTGRES } = process.env
  if (CI_REQUIRE_POSTGRES === '1') throw new Error(line)
  console.warn(`\n${line}\n`)
}
