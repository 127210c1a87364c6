import { findPostgres, howToGetPostgres } from './postgres-server.ts'

/** Says once per run, and loudly, that the tests on PostgreSQL are skipped; in CI that is a failure. */
export default function announceMissingPostgres(): void {
  if (findPostgres() !== undefined) return
  const line = `SKIPPED: the tests on PostgreSQL; to have them run, ${howToGetPostgres}`
  const { CI_REQUIRE_POSTGRES } = process.env
  if (CI_REQUIRE_POSTGRES === '1') throw new Error(line)
  console.warn(`\n${line}\n`)
}
