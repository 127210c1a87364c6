/** One thing that was said. */
export interface Message {
  readonly role: 'visitor' | 'bot'
  readonly text: string
}
