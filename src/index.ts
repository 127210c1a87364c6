export type { Clock } from './core/clock.ts'
export type { ArchiveReason, EndReason, ExpiryReason } from './core/end-reason.ts'
export { isSessionRegistryError, type SessionErrorCode, SessionRegistryError } from './core/errors.ts'
export type { SessionEvents, SweepSummary } from './core/events.ts'
export type { Logger, LogIds } from './core/logger.ts'
export type { Session } from './core/session.ts'
export type { SessionSource } from './core/session-source.ts'
export type { RunOptions, Turn, WhenBusy } from './core/turn.ts'
export type { CloseOptions, CreateOptions } from './memory/call-options.ts'
export type { CloseReport } from './memory/closing.ts'
export type { Hold } from './memory/hold.ts'
export type {
  ArchiveSession,
  CreateSession,
  LoadSession,
  SessionRegistryOptions,
  WhenFull,
} from './memory/options.ts'
export { SessionRegistry } from './memory/session-registry.ts'
export type { LastSweep, RegistryStats } from './memory/stats.ts'
