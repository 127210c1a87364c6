/**
 * A store for express-session and for `@fastify/session`: {@link registryStore}.
 *
 * @module
 */
export { type RegistryStore, registryStore } from './express-session/registry-store.ts'
