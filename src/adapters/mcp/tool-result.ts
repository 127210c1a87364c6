/** The result of a tool, which both lines of the MCP SDK accept. */
export interface ToolResult {
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: boolean
  [key: string]: unknown
}

/** Returns a result of one text. */
export function textResult(text: string, structuredContent?: Record<string, unknown>): ToolResult {
  const content: ToolResult['content'] = [{ type: 'text', text }]
  return structuredContent === undefined ? { content } : { content, structuredContent }
}

/** Returns a tool error: the model reads its text. */
export function errorResult(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}
