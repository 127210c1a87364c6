/** Asks your model. The signal of a turn stops it. */
export type AskModel = (history: readonly string[], signal?: AbortSignal) => Promise<string>

export interface Chat {
  say(id: string, message: string): Promise<string>
  history(id: string): readonly string[] | undefined
}
