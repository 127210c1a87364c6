import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { appendJsonLine, readJsonLines } from './json-lines.ts'

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
    appendJsonLine(this.path, { ...line, pid: process.pid })
  }

  read(): JournalLine[] {
    return readJsonLines(this.path)
  }

  all(what: JournalLine['what']): JournalLine[] {
    return this.read().filter((line) => line.what === what)
  }

  remove(): void {
    rmSync(join(this.path, '..'), { recursive: true, force: true })
  }
}
