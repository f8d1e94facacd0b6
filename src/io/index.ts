/**
 * The operating system behind small interfaces: clock, chance, HTTP, TLS, processes, files, nft.
 *
 * Everything above it runs unchanged in the simulator. Start with `system.ts`.
 */
export { systemClock, systemRandom } from './system.ts';
export { createLogger } from './logger.ts';
