/**
 * `node:http` without what an `import` of it loads beside: the module's name space evaluates every
 * export, and the lazy ones (`WebSocket`, `fetch`'s classes) bring in a second HTTP library: 20 ms
 * and 10 MB in each process. Types may be imported as usual.
 */
export const plainHttp = process.getBuiltinModule('node:http');
