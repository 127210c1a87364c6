import { OwnerIndex } from '../owners/owner-index.ts'
import { SessionTable, type Slot } from '../table/session-table.ts'
import { SessionRecord } from './session-record.ts'

/**
 * The session table, with a {@link SessionRecord} for each session that something refers to beyond the
 * present step.
 */
export class Sessions<T> extends SessionTable<T, SessionRecord<T>> {
  /** To whom sessions belong. */
  readonly owners = new OwnerIndex()

  /** Returns the record of a session, which is made at the first call. */
  recordOf(slot: Slot): SessionRecord<T> {
    let record = this.record(slot)
    if (record === undefined) {
      record = new SessionRecord(slot, this)
      this.setRecord(slot, record)
    }
    return record
  }

  /** Returns the sessions in use, as they are now. */
  heldRecords(): SessionRecord<T>[] {
    return this.heldSlots().map((slot) => this.recordOf(slot))
  }

  /**
   * Removes a session and returns its record, if it has one; from then on that keeps what the session was.
   */
  override remove(slot: Slot): SessionRecord<T> | undefined {
    const record = this.record(slot)
    record?.detach()
    this.owners.remove(slot)
    super.remove(slot)
    return record
  }

  /** Removes a session and returns its record, which is made now if there was none. */
  detach(slot: Slot): SessionRecord<T> {
    // A new record is not put into the slot: an old object that points to a young one has the garbage
    // collector copy it, and a sweep would make a million of them.
    const record = this.record(slot) ?? new SessionRecord(slot, this)
    record.detach()
    this.owners.remove(slot)
    super.remove(slot)
    return record
  }

  /** Inserts a session that was removed; its times start anew. */
  reinsert(record: SessionRecord<T>, now: number): void {
    const slot = this.insert(record.id, record.value, record.timeoutMs, now)
    this.setRecord(slot, record)
    this.owners.set(slot, record.owner)
    record.attach(slot)
  }
}
