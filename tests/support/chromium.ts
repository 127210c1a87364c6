import { existsSync } from 'node:fs'
import process from 'node:process'

const path = '/usr/bin/chromium'

/** Whether there is a browser. If not, prints what is skipped; in CI it throws instead. */
export function findChromium(): boolean {
  if (existsSync(path)) return true
  const line = `SKIPPED: the tests in a browser; to have them run, install the Debian package chromium (${path})`
  const { CI_REQUIRE_CHROMIUM } = process.env
  if (CI_REQUIRE_CHROMIUM === '1') throw new Error(line)
  console.warn(`\n${line}\n`)
  return false
}
