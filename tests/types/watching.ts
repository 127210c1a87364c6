import { channel, subscribe, tracingChannel } from 'node:diagnostics_channel'
import type {
  ArchiveReason,
  EndReason,
  SessionMessage,
  SessionMessages,
  SessionTraces,
  WhenBusy,
} from 'session-registry'
import { expectTypeOf } from 'vitest'

/** Checked by `tsc`, never run: what subscribers of channels are given. */
export function types(): void {
  subscribe('session-registry:ended', (message) => {
    const ended = message as SessionMessages['ended']
    expectTypeOf(ended).toExtend<SessionMessage>()
    expectTypeOf(ended.reason).toEqualTypeOf<EndReason>()
    // @ts-expect-error no message has the id
    void ended.id
  })
  channel('session-registry:error').subscribe((message) => {
    const { error, ref } = message as SessionMessages['error']
    expectTypeOf(error).toBeUnknown()
    expectTypeOf(ref).toEqualTypeOf<string | undefined>()
  })
  tracingChannel<unknown, SessionTraces['turn']>('session-registry:turn').subscribe({
    start: ({ whenBusy, waitedMs }) => {
      expectTypeOf(whenBusy).toEqualTypeOf<WhenBusy>()
      expectTypeOf(waitedMs).toBeNumber()
    },
    end: () => {},
    asyncStart: () => {},
    asyncEnd: ({ incarnation }) => expectTypeOf(incarnation).toBeString(),
    error: ({ error }) => expectTypeOf(error).toBeUnknown(),
  })
  expectTypeOf<SessionTraces['archive']['reason']>().toEqualTypeOf<ArchiveReason>()
  expectTypeOf<SessionTraces['dispose']['incarnation']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<SessionTraces['create']['settled']>().toEqualTypeOf<true | undefined>()
  // @ts-expect-error the session does not exist yet
  expectTypeOf<SessionTraces['load']['incarnation']>().toBeString()
}
