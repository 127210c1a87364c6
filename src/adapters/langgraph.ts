/**
 * A checkpointer of LangGraph that keeps threads in sessions: {@link SessionSaver}.
 *
 * @module
 */
/*
 * LangGraph's checkpoint saver on sessions: one session is one thread.
 *
 *   session-saver.ts        the saver: each member is one turn or one read of the thread's session
 *   thread.ts               the value of the session: namespaces ▸ checkpoints (head, metadata, channels) and
 *                           writes
 *   packed.ts               a value as LangGraph's serializer writes it
 *     ├ stored-text.ts      channels and writes: the difference from a base (delta-chain.ts), in pieces that
 *     │                     equal texts share (json-text.ts cuts them, ancestor-pieces.ts finds them)
 *     └ templated-text.ts   heads and metadata: a shared template, and the numbers and ids in it
 *   stored-channels.ts      which channels changed, and which are the parent's own
 *   checkpoint-tuple.ts     from a thread back to LangGraph's shape
 *   thread-codec.ts         a thread as text: thread-writer.ts, thread-reader.ts, thread-text.ts, and for
 *                           version 0.1 legacy-thread-text.ts
 *   address.ts, check-write.ts, untrusted.ts   checks of configs, of writes, of texts
 */

export { SessionSaver, type SessionSaverOptions } from './langgraph/session-saver.ts'
export { newThread, type Thread } from './langgraph/thread.ts'
export { threadCodec } from './langgraph/thread-codec.ts'
