/**
 * State and transports of MCP servers in sessions: {@link stateHandles} for protocol version 2026-07-28,
 * {@link mcpTransports} for clients of 2025.
 *
 * @module
 */
export type { McpServerLike, McpTransport, McpTransportOptions } from './mcp/connection.ts'
export type { McpRequest } from './mcp/http-request.ts'
export {
  type CreationResult,
  type HandleArguments,
  type StateHandleOptions,
  type StateHandles,
  stateHandles,
} from './mcp/state-handles.ts'
export type { ToolCaller, ToolContext } from './mcp/tool-context.ts'
export type { ToolResult } from './mcp/tool-result.ts'
export { type McpTransports, type McpTransportsOptions, mcpTransports } from './mcp/transports.ts'
