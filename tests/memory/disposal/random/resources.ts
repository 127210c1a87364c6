import type { EndReason } from 'session-registry'

/** A value that holds something which must be released once. */
export class Resource {
  readonly id: string
  /** `app`: the program closed it, since the registry did not take it or gave it back. */
  state: 'open' | 'closing' | 'closed' | 'closed by the app' = 'open'
  /** Whether it counts towards the capacity. */
  counts: boolean
  reason: EndReason | undefined

  constructor(id: string, counts: boolean) {
    this.id = id
    this.counts = counts
  }

  get isOpen(): boolean {
    return this.state === 'open' || this.state === 'closing'
  }
}

/** All resources of one program, and what went wrong with them. */
export class Resources {
  readonly all: Resource[] = []
  readonly problems: string[] = []
  readonly #limit: number
  mostOpen = 0

  /** `limit`: the most that may be open at once. */
  constructor(limit: number) {
    this.#limit = limit
  }

  open(id: string, counts = true): Resource {
    const resource = new Resource(id, counts)
    this.all.push(resource)
    this.check()
    return resource
  }

  /** The registry took a resource that the program had made. */
  adopt(resource: Resource): void {
    resource.counts = true
    this.check()
  }

  /** The registry begins to dispose of one. */
  beginDisposal(resource: Resource, reason: EndReason): void {
    if (resource.state !== 'open') this.problems.push(`disposed of while ${resource.state}: ${reason}`)
    resource.state = 'closing'
    resource.reason = reason
  }

  close(resource: Resource, by: 'closed' | 'closed by the app' = 'closed'): void {
    if (!resource.isOpen) this.problems.push(`closed twice: ${resource.state}, then ${by}`)
    resource.state = by
  }

  /** A turn or a hold uses one. */
  use(resource: Resource, how: string): void {
    if (resource.state === 'open' || resource.state === 'closed by the app') return
    this.problems.push(`used by ${how} while ${resource.state}: ${resource.reason}`)
  }

  get opened(): readonly Resource[] {
    return this.all.filter(({ isOpen }) => isOpen)
  }

  check(): void {
    const open = this.all.filter(({ isOpen, counts }) => isOpen && counts).length
    this.mostOpen = Math.max(this.mostOpen, open)
    if (open > this.#limit) this.problems.push(`${open} open at once, of at most ${this.#limit}`)
  }
}
