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
 *   serializer.ts           LangGraph's serializer, or one of the application
 *     ├ packed.ts           a value as the serializer writes it
 *     ├ list-elements.ts    lists, whose elements are serialised only when they are new or have changed
 *     │                     (snapshot.ts tells)
 *     └ revive.ts           plain data and messages (message-classes.ts), read without the serializer
 *   stored-text.ts          channels and writes: the difference from a base (delta-chain.ts, store-text.ts),
 *   in
 *                           pieces that equal texts share (json-text.ts cuts them, ancestor-pieces.ts finds
 *                           them)
 *   templated-text.ts       heads and metadata: shared templates, and the numbers and ids in them
 *   stored-channels.ts      which channels changed, and which are the parent's own
 *   checkpoint-tuple.ts     from a thread back to LangGraph's shape
 *   thread-codec.ts         a thread as text: thread-writer.ts, thread-reader.ts, thread-text.ts, and for
 *                           version 0.1 legacy-thread-text.ts
 *   address.ts, check-write.ts, untrusted.ts   checks of configs, of writes, of texts
 */

export { SessionSaver, type SessionSaverOptions } from './langgraph/session-saver.ts'
export { newThread, type Thread } from './langgraph/thread.ts'
export { threadCodec } from './langgraph/thread-codec.ts'
