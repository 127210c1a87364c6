import { tokenLength } from './tokens.ts'

/** The names of all keys. `docs/redis.md` says what is under them. */
export class Keys {
  readonly shards: number
  readonly config: string
  /** The note that some process archives. */
  readonly heartbeat: string
  readonly #prefix: string

  constructor(prefix: string, shards: number) {
    this.#prefix = prefix
    this.shards = shards
    this.config = `{${prefix}}:config`
    this.heartbeat = `{${prefix}}:archives`
  }

  /** FNV-1a over the UTF-16 units of the id. It is a part of the format of the data. */
  shardOf(id: string): number {
    let hash = 0x811c9dc5
    for (let index = 0; index < id.length; index += 1) {
      const unit = id.charCodeAt(index)
      hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
      hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
    }
    return (hash >>> 0) % this.shards
  }

  /** Session, older lives and deadlines: for what only concerns the live session. */
  session(id: string): [session: string, older: string, deadlines: string] {
    const tag = this.#tag(this.shardOf(id))
    return [`${tag}:s:${id}`, `${tag}:x:${id}`, `${tag}:dl`]
  }

  /** All that a transition of a life may touch; with an operation, also where its answer is remembered. */
  ofId(id: string, operation?: string): string[] {
    const tag = this.#tag(this.shardOf(id))
    const keys = [...this.session(id), `${tag}:px`, `${tag}:lt`, `${tag}:dead`, `${tag}:gone`]
    if (operation !== undefined) keys.push(this.operationReply(this.shardOf(id), operation))
    return keys
  }

  /** The life that stands as this member in a set of the shard; `undefined` where it is none of it. */
  incarnationIn(shard: number, member: string): IncarnationRef | undefined {
    const ref = parseMember(member)
    if (ref.id === '' || member[tokenLength] !== ':') return undefined
    return this.shardOf(ref.id) === shard ? ref : undefined
  }

  deadlines(shard: number): string {
    return `${this.#tag(shard)}:dl`
  }

  dead(shard: number): string {
    return `${this.#tag(shard)}:dead`
  }

  /** Queue and leases. */
  queue(shard: number): [queue: string, leases: string] {
    const tag = this.#tag(shard)
    return [`${tag}:px`, `${tag}:lt`]
  }

  operationReply(shard: number, operation: string): string {
    return `${this.#tag(shard)}:op:${operation}`
  }

  /** All keys of a shard bear one hash tag, so that a cluster keeps them on one node. */
  #tag(shard: number): string {
    return `{${this.#prefix}:${shard}}`
  }
}

/** A life as it stands in the queues: the name of the life, and the id. */
export interface IncarnationRef {
  readonly id: string
  readonly incarnation: string
}

export function memberOf({ id, incarnation }: IncarnationRef): string {
  return `${incarnation}:${id}`
}

export function parseMember(member: string): IncarnationRef {
  return { incarnation: member.slice(0, tokenLength), id: member.slice(tokenLength + 1) }
}
