import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The events of several processes in their order. */
export interface JournalLine {
  readonly what: 'created' | 'saved' | 'archiving' | 'archived' | 'gave up' | 'expired' | 'ended' | 'error'
  readonly pid: number
  readonly id?: string
  readonly incarnation?: string
  readonly n?: number
  /** The start of this incarnation, by the clock of Redis. */
  readonly createdAt?: number
  readonly attempt?: number
  readonly reason?: string
  readonly code?: string
}

/**
 * A file to which several processes append.
 *
 * A line is appended by one system call, so lines never mix, their order is real, and a written line survives
 * the crash of its writer.
 */
export class Journal {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  static create(): Journal {
    const folder = mkdtempSync(join(tmpdir(), 'session-registry-journal-'))
    const path = join(folder, 'lines')
    writeFileSync(path, '')
    return new Journal(path)
  }

  write(line: Omit<JournalLine, 'pid'>): void {
    appendFileSync(this.path, `${JSON.stringify({ ...line, pid: process.pid })}\n`)
  }

  read(): JournalLine[] {
    const text = readFileSync(this.path, 'utf8')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JournalLine)
  }

  all(what: JournalLine['what']): JournalLine[] {
    return this.read().filter((line) => line.what === what)
  }

  remove(): void {
    rmSync(join(this.path, '..'), { recursive: true, force: true })
  }
}
