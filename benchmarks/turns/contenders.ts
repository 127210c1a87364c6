import { AsyncLocalStorage } from 'node:async_hooks'
import { pathToFileURL } from 'node:url'

/** The value of each session. */
export interface Value {
  count: number
}

/** Calls `work` with the value of a session, while no other work of that session runs. */
export type Exclusive = <R>(id: string, work: (value: Value) => R | Promise<R>) => Promise<R>

/** A registry of this library, or what a user would take instead. */
export interface Contender {
  readonly exclusive: Exclusive
  /** Calls `next` as a middleware of the application does; absent: without any. */
  readonly middleware?: (next: () => void) => void
}

// The part of each peer that is used here. They are resolved at run time: a bundler, or a registry that is
// taken as its source, would change what is measured.
interface AsyncLock {
  acquire<R>(key: string, work: () => R | Promise<R>): Promise<R>
}
interface Queue {
  add<R>(work: () => R | Promise<R>): Promise<R>
}
interface Mutex {
  runExclusive<R>(work: () => R | Promise<R>): Promise<R>
}

async function openRegistry(build: string): Promise<Exclusive> {
  const { SessionRegistry } = (await import(build)) as typeof import('session-registry')
  const registry = new SessionRegistry<Value>({ create: () => ({ count: 0 }) })
  return <R>(id: string, work: (value: Value) => R | Promise<R>) =>
    registry.run(id, (session) => work(session.value)) as Promise<R>
}

/** Returns a function that returns what `make` made for the id, or makes it. */
function cached<V>(make: () => V): (id: string) => V {
  const all = new Map<string, V>()
  return (id) => {
    let value = all.get(id)
    if (value === undefined) {
      value = make()
      all.set(id, value)
    }
    return value
  }
}

/** A `Map`, which excludes no one: the least that a handler can do. */
function openMap(): Exclusive {
  const valueIn = cached<Value>(() => ({ count: 0 }))
  return async (id, work) => work(valueIn(id))
}

async function openAsyncLock(): Promise<Exclusive> {
  type Module = { readonly default: new () => AsyncLock }
  const { default: Lock } = (await import(import.meta.resolve('async-lock'))) as Module
  const lock = new Lock()
  const valueIn = cached<Value>(() => ({ count: 0 }))
  return (id, work) => lock.acquire(id, () => work(valueIn(id)))
}

async function openQueues(): Promise<Exclusive> {
  type Module = { readonly default: new (options: { concurrency: number }) => Queue }
  const { default: PQueue } = (await import(import.meta.resolve('p-queue'))) as Module
  const sessionOf = cached(() => ({ queue: new PQueue({ concurrency: 1 }), value: { count: 0 } }))
  return (id, work) => {
    const { queue, value } = sessionOf(id)
    return queue.add(() => work(value))
  }
}

async function openMutexes(): Promise<Exclusive> {
  type Module = { readonly Mutex: new () => Mutex }
  const { Mutex } = (await import(import.meta.resolve('async-mutex'))) as Module
  const sessionOf = cached(() => ({ mutex: new Mutex(), value: { count: 0 } }))
  return (id, work) => {
    const { mutex, value } = sessionOf(id)
    return mutex.runExclusive(() => work(value))
  }
}

/** A middleware that calls the rest of a request in an `AsyncLocalStorage`, as tracing does. */
function inStorage(): (next: () => void) => void {
  const storage = new AsyncLocalStorage<object>()
  return (next) => storage.run({}, next)
}

const ours = () => openRegistry(import.meta.resolve('session-registry'))

const openers = {
  'bare Map': async () => ({ exclusive: openMap() }),
  'session-registry': async () => ({ exclusive: await ours() }),
  'session-registry before': async () => ({ exclusive: await openRegistry(buildBefore()) }),
  'async-lock': async () => ({ exclusive: await openAsyncLock() }),
  'p-queue': async () => ({ exclusive: await openQueues() }),
  'async-mutex': async () => ({ exclusive: await openMutexes() }),
  'bare Map, traced': async () => ({ exclusive: openMap(), middleware: inStorage() }),
  'session-registry, traced': async () => ({ exclusive: await ours(), middleware: inStorage() }),
} satisfies Record<string, () => Promise<Contender>>

export type ContenderName = keyof typeof openers

export async function openContender(name: ContenderName): Promise<Contender> {
  return openers[name]()
}

/** The other build of the library that the environment variable BEFORE names, to compare two of them. */
function buildBefore(): string {
  const { BEFORE = '' } = process.env
  return pathToFileURL(BEFORE).href
}

const alone: readonly ContenderName[] = [
  'bare Map',
  'session-registry',
  'async-lock',
  'p-queue',
  'async-mutex',
]

/** The contenders, with the other build if there is one. */
export function contendersOf(before: string | undefined): readonly ContenderName[] {
  return before === undefined ? alone : [...alone, 'session-registry before']
}

/** The contenders in an application with tracing, which pays for `AsyncLocalStorage` already. */
export const tracedContenders: readonly ContenderName[] = ['bare Map, traced', 'session-registry, traced']
