/** One message of a conversation. */
export interface Message {
  readonly role: 'visitor' | 'bot'
  readonly text: string
}
