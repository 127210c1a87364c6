/**
 * Sessions of one process: {@link SessionRegistry}, its options, its errors, and the types that all entries
 * share.
 *
 * @module
 */
export type { CloseReport } from './core/close-report.ts'
export type { CurrentSession } from './core/current-session.ts'
export type { ArchiveReason, EndReason, ExpiryReason } from './core/end-reason.ts'
export {
  isSessionRegistryError,
  type SessionErrorCode,
  SessionRegistryError,
} from './core/errors/session-registry-error.ts'
export type { Logger, LogIds } from './core/events/logger.ts'
export type { SessionEvents, SweepSummary } from './core/events/session-events.ts'
export type { GoneSession } from './core/gone-session.ts'
export type {
  ArchiveSession,
  CreateContext,
  CreateNow,
  CreateSession,
  DisposeSession,
  LoadContext,
  LoadSession,
} from './core/hooks.ts'
export type {
  AcquireOptions,
  CloseOptions,
  CreateOptions,
  HoldOptions,
  OpenOptions,
  WhyGoneOptions,
} from './core/options/call-options.ts'
export type { SaveMode } from './core/options/store-options.ts'
export type { Session, SessionFields } from './core/session.ts'
export type { SessionSource } from './core/session-source.ts'
export type { LastSweep, RegistryStats } from './core/stats.ts'
export type {
  DeleteContext,
  PutContext,
  SessionStore,
  StoreContext,
  StoredSession,
} from './core/store.ts'
export type { Clock } from './core/time/clock.ts'
export type { RunOptions, StreamTurn, Turn, WhenBusy } from './core/turns/turn.ts'
export type { SessionMessage, SessionMessages, SessionTraces } from './core/watching/channels.ts'
export type { InspectedSession, InspectedState } from './core/watching/inspected-session.ts'
export type { RegistryHealth, UnreadyReason } from './core/watching/registry-health.ts'
export type { SessionRegistryOptions, WhenFull } from './memory/options.ts'
export type { Hold } from './memory/session/hold.ts'
export { SessionRegistry } from './memory/session-registry.ts'
