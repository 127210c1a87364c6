import type { Logger } from 'session-registry'

interface LogFields {
  readonly registry?: string
  readonly session?: unknown
  readonly reason?: string
  readonly event?: string
  readonly err?: unknown
}

interface LogEntry {
  readonly level: keyof Logger
  readonly fields: LogFields
  readonly message: unknown
}

/** A logger in the shape of pino's that keeps every line. */
export class RecordingLogger implements Logger {
  readonly lines: LogEntry[] = []
  readonly debug = this.#method('debug')
  readonly info = this.#method('info')
  readonly warn = this.#method('warn')
  readonly error = this.#method('error')

  at(level: keyof Logger): readonly LogEntry[] {
    return this.lines.filter((line) => line.level === level)
  }

  #method(level: keyof Logger) {
    return (fields: object, message: string): void => {
      this.lines.push({ level, fields, message })
    }
  }
}
