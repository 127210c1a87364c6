import { describe } from 'vitest'
import { describeLeftStreams } from './abandoned-streams.ts'
import { describeArchiving } from './archiving.ts'
import { describeBadInput } from './bad-input.ts'
import { describeBusyTurns } from './busy-turns.ts'
import { describeClosing } from './close.ts'
import { describeEvents } from './events.ts'
import { describeExpiry } from './expiry.ts'
import type { ContractHarness } from './harness.ts'
import { describeHolds } from './holds.ts'
import { describeIteration } from './iteration.ts'
import { describeOpening } from './open.ts'
import { describeOpenOptions } from './open-options.ts'
import { describeOwners } from './owners.ts'
import { describeOwnersApart } from './owners-apart.ts'
import { describeOwnersOfNewSessions } from './owners-of-new-sessions.ts'
import { describeReadingAndWriting } from './reading-and-writing.ts'
import { describeSlowTurns } from './slow-turns.ts'
import { describeStreams } from './streams.ts'
import { describeTombstones } from './tombstones.ts'
import { describeTurnBounds } from './turn-bounds.ts'
import { describeTurns } from './turns.ts'
import { describeUnreadStreams } from './unread-streams.ts'
import { describeWatchedEvents } from './watched-events.ts'
import { describeWatchedHooks } from './watched-hooks.ts'
import { describeWatchedTurns } from './watched-turns.ts'
import { describeWatching } from './watching.ts'

/**
 * Defines the tests that every registry must pass, by its harness.
 *
 * The tests never change a value outside a turn, since it may be a copy there.
 */
export function describeSessionContract(name: string, harness: ContractHarness): void {
  describe(`the contract of ${name}`, () => {
    describe('reading and writing', () => describeReadingAndWriting(harness))
    describe('expiry', () => describeExpiry(harness))
    describe('iteration', () => describeIteration(harness))
    describe('events', () => describeEvents(harness))
    describe('opening', () => describeOpening(harness))
    describe('turns', () => describeTurns(harness))
    describe('turns that meet', () => describeBusyTurns(harness))
    describe('bounds of turns', () => describeTurnBounds(harness))
    describe('slow turns', () => describeSlowTurns(harness))
    describe('holds', () => describeHolds(harness))
    describe('options of opening', () => describeOpenOptions(harness))
    describe('owners', () => describeOwners(harness))
    describe('owners of new sessions', () => describeOwnersOfNewSessions(harness))
    describe('owners apart', () => describeOwnersApart(harness))
    describe('streams', () => describeStreams(harness))
    describe('streams that are left', () => describeLeftStreams(harness))
    describe('streams that are aborted', () => describeUnreadStreams(harness))
    describe('archiving', () => describeArchiving(harness))
    describe('watching', () => describeWatching(harness))
    describe('closing', () => describeClosing(harness))
    describe('why a session is gone', () => describeTombstones(harness))
    describe('channels of events', () => describeWatchedEvents(harness))
    describe('channels of turns', () => describeWatchedTurns(harness))
    describe('channels of hooks', () => describeWatchedHooks(harness))
    describe('bad input', () => describeBadInput(harness))
  })
}
