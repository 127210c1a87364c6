/**
 * A live page on the sessions of a process: {@link inspector}, and {@link nodeHandler} for `node:http`,
 * Express and Fastify.
 *
 * @module
 */
export type { InspectableRegistry } from './inspector/inspectable-registry.ts'
export { type Inspector, type InspectorOptions, inspector } from './inspector/inspector.ts'
export { type NodeRequest, type NodeResponse, nodeHandler, type ReplyLike } from './inspector/node-handler.ts'
