import { noSlot, type Slot } from '../table/session-table.ts'

/** Bits of a slot that are its place in a page. Pages of their own: most registries have no owners. */
const ownerPageBits = 12
const ownerPageMask = (1 << ownerPageBits) - 1

/** An owner that has sessions. */
export class OwnedSessions {
  readonly owner: string
  /** The session that was added last; each one refers to the one before. */
  newest: Slot = noSlot
  /** The number of sessions in the table. */
  size = 0
  /** Values of the owner that count although no session of the table has them: being made, or leaving. */
  away = 0

  constructor(owner: string) {
    this.owner = owner
  }

  /** The number of values that count towards `maxPerOwner`. */
  get total(): number {
    return this.size + this.away
  }
}

/** The slots of a page: to whom each belongs, and its neighbours among the sessions of that owner. */
interface Page {
  /** The owner alone where the lists are not kept. */
  readonly owned: (OwnedSessions | string | undefined)[]
  /** The slot itself where the lists are not kept. */
  readonly older: Slot[]
  readonly newer: Slot[]
}

/**
 * The owner of each slot and, from the first need on, the sessions of each owner: an intrusive list for each.
 *
 * The lists cost a creation as much as the session itself, since owners are all over the memory. They are
 * needed for `maxPerOwner`, and to find the sessions of an owner.
 */
export class OwnerIndex {
  readonly #byOwner = new Map<string, OwnedSessions>()
  readonly #pages: (Page | undefined)[] = []
  #keepsLists = false

  ownerOf(slot: Slot): string | undefined {
    const owned = this.#pages[slot >>> ownerPageBits]?.owned[slot & ownerPageMask]
    return typeof owned === 'object' ? owned.owner : owned
  }

  /** Keeps the lists from here on. The first call takes time for each session that has an owner. */
  keepLists(): void {
    if (this.#keepsLists) return
    this.#keepsLists = true
    for (const page of this.#pages) {
      for (const [at, owner] of page?.owned.entries() ?? []) {
        const slot = page?.older[at]
        if (typeof owner === 'string' && slot !== undefined) this.#add(slot, this.#entryOf(owner))
      }
    }
  }

  /**
   * Returns the entry of an owner; `undefined` where nothing of it counts. Without lists only what is away
   * counts.
   */
  find(owner: string): OwnedSessions | undefined {
    return this.#byOwner.get(owner)
  }

  /** Sets to whom a session belongs; `undefined`: to no one. */
  set(slot: Slot, owner: string | undefined): void {
    this.remove(slot)
    if (owner === undefined) return
    if (this.#keepsLists) {
      this.#add(slot, this.#entryOf(owner))
      return
    }
    const page = this.#pageOf(slot)
    const at = slot & ownerPageMask
    page.owned[at] = owner
    page.older[at] = slot
  }

  /** Forgets a session, which has left the table. */
  remove(slot: Slot): void {
    const page = this.#pages[slot >>> ownerPageBits]
    const at = slot & ownerPageMask
    const owned = page?.owned[at]
    if (page === undefined || owned === undefined) return
    page.owned[at] = undefined
    if (typeof owned === 'string') return
    const older = page.older[at] ?? noSlot
    const newer = page.newer[at] ?? noSlot
    if (newer === noSlot) owned.newest = older
    else this.#setOlder(newer, older)
    if (older !== noSlot) this.#setNewer(older, newer)
    owned.size -= 1
    this.#dropIfEmpty(owned)
  }

  /** Counts a value of an owner that is in no slot; `change` is 1 or -1. */
  countAway(owner: string, change: 1 | -1): void {
    const owned = this.#entryOf(owner)
    owned.away += change
    this.#dropIfEmpty(owned)
  }

  /** Returns the slots of an owner, the one that was added last first. */
  slotsOf(owner: string): Slot[] {
    this.keepLists()
    const slots: Slot[] = []
    let slot = this.#byOwner.get(owner)?.newest ?? noSlot
    while (slot !== noSlot) {
      slots.push(slot)
      slot = this.#pages[slot >>> ownerPageBits]?.older[slot & ownerPageMask] ?? noSlot
    }
    return slots
  }

  #entryOf(owner: string): OwnedSessions {
    const found = this.#byOwner.get(owner)
    if (found !== undefined) return found
    const owned = new OwnedSessions(owner)
    this.#byOwner.set(owner, owned)
    return owned
  }

  #add(slot: Slot, owned: OwnedSessions): void {
    const page = this.#pageOf(slot)
    const at = slot & ownerPageMask
    const { newest } = owned
    page.owned[at] = owned
    page.older[at] = newest
    page.newer[at] = noSlot
    if (newest !== noSlot) this.#setNewer(newest, slot)
    owned.newest = slot
    owned.size += 1
  }

  #dropIfEmpty(owned: OwnedSessions): void {
    if (owned.total === 0) this.#byOwner.delete(owned.owner)
  }

  #pageOf(slot: Slot): Page {
    const index = slot >>> ownerPageBits
    let page = this.#pages[index]
    if (page === undefined) {
      page = { owned: [], older: [], newer: [] }
      this.#pages[index] = page
    }
    return page
  }

  #setOlder(slot: Slot, older: Slot): void {
    this.#pageOf(slot).older[slot & ownerPageMask] = older
  }

  #setNewer(slot: Slot, newer: Slot): void {
    this.#pageOf(slot).newer[slot & ownerPageMask] = newer
  }
}
