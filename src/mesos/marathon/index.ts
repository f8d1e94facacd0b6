/**
 * Marathon: its REST API, its definitions and deployments; a framework like any other.
 *
 * `model/` is pure (definitions, normalisation, validation, plans, offer matching), `engine/` runs it
 * over the store and a scheduler link, `face/` is the REST API.
 */
export {};
