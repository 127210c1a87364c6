/** The caller of a tool, as both lines of the MCP SDK describe it. */
export interface ToolCaller {
  readonly token: string
  /** The application, which all its users share: not the person. */
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly expiresAt?: number | undefined
  readonly extra?: Readonly<Record<string, unknown>> | undefined
}

/** The part of a tool's context that is used here: `extra` of the SDK 1.x, `ctx` of 2.x. */
export interface ToolContext {
  /** 1.x */
  readonly signal?: AbortSignal | undefined
  /** 1.x */
  readonly authInfo?: ToolCaller | undefined
  /** 2.x */
  readonly mcpReq?: { readonly signal: AbortSignal } | undefined
  /** 2.x */
  readonly http?: { readonly authInfo?: ToolCaller | undefined } | undefined
}

/** Returns the signal that aborts when the client cancels the call. */
export function signalOf(context: ToolContext | undefined): AbortSignal | undefined {
  return context?.mcpReq?.signal ?? context?.signal
}

/**
 * Returns the arguments and the context of a call: a tool without an `inputSchema` is given only the latter.
 */
export function splitCall<A extends object>(given: readonly unknown[]): [args: A, context: ToolContext] {
  return given.length > 1 ? [given[0] as A, given[1] as ToolContext] : [{} as A, given[0] as ToolContext]
}
