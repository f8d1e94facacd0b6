import type { Logger } from '#base';
import type { ApiServer, Reader } from '#apiserver';
import { clusterRoles, type ClusterRole } from '#kube/kinds';
import { aggregatedRules } from './bootstrap/rbac.ts';

/**
 * Keeps ClusterRoles with an `aggregationRule` equal to the union of the roles they select. Runs once
 * after any change of a ClusterRole, however many there were.
 */
export class RoleAggregation implements Disposable {
  readonly #reader: Reader;
  readonly #server: Pick<ApiServer, 'updateMany'>;
  readonly #logger: Logger;
  readonly #watch: Disposable;
  #running = false;
  #again = false;
  #open = false;

  constructor(reader: Reader, server: Pick<ApiServer, 'updateMany'>, logger: Logger) {
    this.#reader = reader;
    this.#server = server;
    this.#logger = logger;
    this.#watch = reader.onChange(clusterRoles, () => {
      if (this.#open) void this.run();
    });
  }

  [Symbol.dispose](): void {
    this.#open = false;
    this.#watch[Symbol.dispose]();
  }

  /** Looks at everything once and follows changes from then on. */
  async start(): Promise<void> {
    this.#open = true;
    await this.run();
  }

  async run(): Promise<void> {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#pass();
      }
    } catch (error) {
      this.#logger.error('Aggregated roles could not be written', { error });
    } finally {
      this.#running = false;
    }
  }

  async #pass(): Promise<void> {
    const all = this.#reader.list(clusterRoles);
    const stale = all.filter(
      (role) =>
        role.aggregationRule !== undefined &&
        JSON.stringify(aggregatedRules(role, all)) !== JSON.stringify(role.rules ?? []),
    );
    if (stale.length === 0) return;
    const results = await this.#server.updateMany<ClusterRole>(
      stale.map((role) => ({
        resource: clusterRoles,
        name: role.metadata.name,
        change(draft) {
          const rules = aggregatedRules(role, all);
          draft.rules = rules.map((rule) => structuredClone(rule)) as typeof draft.rules;
        },
      })),
    );
    for (const result of results)
      if (!result.ok)
        this.#logger.warn('Aggregated role could not be written', { error: result.error });
  }
}
