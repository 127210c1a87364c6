/** The members of a prepared statement that the store uses. */
export interface SqliteStatement {
  run(...params: (string | number)[]): { changes: number | bigint }
  get(...params: (string | number)[]): unknown
  all(...params: (string | number)[]): unknown[]
}

/** The members of an open database that the store uses: `node:sqlite`, better-sqlite3 or `bun:sqlite`. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

/** Returns a statement whose rows are objects, whatever the options of the database. */
export function prepareStatement(database: SqliteDatabase, sql: string): SqliteStatement {
  const statement: SqliteStatement & { setReturnArrays?: (isOn: boolean) => void } = database.prepare(sql)
  // A method of `node:sqlite` since Node 22.23: with the option `returnArrays` a row would be an array.
  if (typeof statement.setReturnArrays === 'function') statement.setReturnArrays(false)
  return statement
}

/** Result codes of SQLite for a database or table that another connection has locked. */
const busyCodes = [5, 6]

/** Reports whether a failure means that another connection is writing. */
export function isBusy(error: unknown): boolean {
  const { errcode, errno, code, message } = Object(error) as Partial<Record<string, unknown>>
  for (const number of [errcode, errno]) {
    // The low byte of an extended code is the primary code: 517 is a snapshot too old to write.
    if (typeof number === 'number') return busyCodes.includes(number & 0xff)
  }
  if (typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code)) return true
  // Errors of Deno's `exec` have no code.
  return /\bdatabase (table )?is locked\b/.test(String(message))
}

/** Reports whether a failure means that there is no such table. */
export function isWithoutTable(error: unknown): boolean {
  return /\bno such table\b/.test(String(Object(error).message))
}
