/** In place of your model. It obeys the signal, if it is given one. */
export type AskModel = (history: readonly string[], signal?: AbortSignal) => Promise<string>

export interface Chat {
  say(id: string, message: string): Promise<string>
  history(id: string): readonly string[] | undefined
}
