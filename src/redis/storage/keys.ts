import { tokenLength } from './tokens.ts'

/**
 * The names of all keys.
 *
 *   {prefix:k}:s:<id>     hash        the session, live or expired              fields: session.lua.ts
 *   {prefix:k}:x:<id>     hash        backlog: older incarnations, dead letters fields: backlog.lua.ts
 *   {prefix:k}:dl         sorted set  deadlines: incarnations not claimed yet, by deadline
 *   {prefix:k}:px         sorted set  queue: incarnations to archive, by when they may be claimed
 *   {prefix:k}:lt         hash        leases of claims: token, phase, attempts  fields: lease.lua.ts
 *   {prefix:k}:dead       sorted set  dead letters, by the time of their last failure
 *   {prefix:k}:gone       sorted set  operations to recognise when repeated, by when they are forgotten
 *   {prefix:k}:ends       sorted set  tombstones, by when and why it ended        fields: tombstones.lua.ts
 *   {prefix:k}:op:<token> list        the reply of an operation that must not run twice
 *   {prefix}:config       string      the number of shards
 *   {prefix}:archives     string      heartbeat: some process archives
 *
 * `k` is the shard of the id. The life of a session in these keys:
 *
 *   create ──▶ s, dl ──deadline, claim──▶ s, px, lt ──load──▶ sealed ──ack──▶ gone
 *                │ the id is created again                      │ failed: px after a pause
 *                ▼                                              ▼ failed for the last time
 *              x, px ──first of its id, claim──▶ x, px, lt      x, dead ──retryDead──▶ x, px
 *
 * `docs/design/redis.md` adds the TTLs.
 */
export class Keys {
  readonly shards: number
  readonly config: string
  /** Present while some process archives. */
  readonly heartbeat: string
  readonly #prefix: string

  constructor(prefix: string, shards: number) {
    this.#prefix = prefix
    this.shards = shards
    this.config = `{${prefix}}:config`
    this.heartbeat = `{${prefix}}:archives`
  }

  /** Returns the shard of an id: FNV-1a over its UTF-16 units. It is part of the data format. */
  shardOf(id: string): number {
    let hash = 0x811c9dc5
    for (let index = 0; index < id.length; index += 1) {
      const unit = id.charCodeAt(index)
      hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
      hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
    }
    return (hash >>> 0) % this.shards
  }

  /** The keys of scripts that concern only the live session. */
  session(id: string): [session: string, older: string, deadlines: string] {
    const tag = this.#tag(this.shardOf(id))
    return [`${tag}:s:${id}`, `${tag}:x:${id}`, `${tag}:dl`]
  }

  /** All keys that a transition of an id may touch; with an operation, also that of its reply. */
  ofId(id: string, operation?: string): string[] {
    const tag = this.#tag(this.shardOf(id))
    const keys = [...this.session(id), `${tag}:px`, `${tag}:lt`, `${tag}:dead`, `${tag}:gone`]
    if (operation !== undefined) keys.push(this.operationReply(this.shardOf(id), operation))
    return keys
  }

  /** All keys that the transitions of claims of a shard may touch, as `each-claim.lua.ts` expects them. */
  ofClaims(shard: number, claims: readonly { readonly id: string }[], ...others: string[]): string[] {
    const tag = this.#tag(shard)
    const keys: string[] = []
    for (const { id } of claims) {
      keys.push(`${tag}:s:${id}`, `${tag}:x:${id}`)
      if (keys.length === 2)
        keys.push(`${tag}:dl`, `${tag}:px`, `${tag}:lt`, `${tag}:dead`, `${tag}:gone`, ...others)
    }
    return keys
  }

  /**
   * Returns the incarnation that a member of a set of the shard names; `undefined` if it names none of this
   * shard.
   */
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

  tombstones(shard: number): string {
    return `${this.#tag(shard)}:ends`
  }

  /** The keys of the claims of a shard. */
  queue(shard: number): [queue: string, leases: string] {
    const tag = this.#tag(shard)
    return [`${tag}:px`, `${tag}:lt`]
  }

  operationReply(shard: number, operation: string): string {
    return `${this.#tag(shard)}:op:${operation}`
  }

  /** All keys of a shard have one hash tag, so that a cluster keeps them on one node. */
  #tag(shard: number): string {
    return `{${this.#prefix}:${shard}}`
  }
}

/** The name of an incarnation, as the sorted sets have it. */
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
