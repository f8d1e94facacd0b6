import type { Clock, Logger } from '#base';
import { formatTime } from '#base';
import type { ApiServer, Reader } from '#apiserver';
import { type CertificateRequest, readCsr } from '#io';
import { certificateSigningRequests, nodes, type certificatesV1 } from '#kube/kinds';
import {
  nodeClientSigner,
  nodePrefix,
  nodeServingSigner,
  requestProblem,
  signerRules,
} from './csr-rules.ts';

type Csr = certificatesV1.CertificateSigningRequest;

/** Certifies a request under the cluster's authority. */
export type SignRequest = (
  csrPem: string,
  options: { readonly usages: readonly ('clientAuth' | 'serverAuth')[]; readonly days: number },
) => string;

export interface CsrSignerParts {
  readonly reader: Reader;
  readonly server: Pick<ApiServer, 'updateMany'>;
  readonly sign: SignRequest;
  readonly clock: Clock;
  readonly logger: Logger;
}

const daysMax = 365;
const daySeconds = 86_400;

/**
 * Approves what agents ask for themselves (joining with a bootstrap token, renewing, serving under
 * their own addresses) and signs what is approved. Level-triggered: it looks at the request as it is.
 */
export class CsrSigner implements Disposable {
  readonly #parts: CsrSignerParts;
  readonly #watch: Disposable;
  #open = false;

  constructor(parts: CsrSignerParts) {
    this.#parts = parts;
    this.#watch = parts.reader.onChange(certificateSigningRequests, ({ object }) => {
      if (this.#open && object !== undefined) void this.#look(object);
    });
  }

  [Symbol.dispose](): void {
    this.#open = false;
    this.#watch[Symbol.dispose]();
  }

  start(): void {
    this.#open = true;
    for (const csr of this.#parts.reader.list(certificateSigningRequests)) void this.#look(csr);
  }

  async #look(csr: Csr): Promise<void> {
    if ((csr.status.certificate ?? '') !== '' || has(csr, 'Denied') || has(csr, 'Failed')) return;
    const approved = has(csr, 'Approved');
    if (!approved && !this.#isOwn(csr)) return;
    const { server, clock, logger } = this.#parts;
    const now = formatTime(clock.nowMs());
    const outcome = this.#certify(csr);
    if (outcome === undefined) return;
    const [result] = await server.updateMany<Csr>([
      {
        resource: certificateSigningRequests,
        name: csr.metadata.name,
        change(draft) {
          if ((draft.status.certificate ?? '') !== '') return;
          const condition = (type: string, reason: string, message: string): void => {
            draft.status.conditions = [
              ...(draft.status.conditions ?? []),
              {
                type,
                status: 'True',
                reason,
                message,
                lastUpdateTime: now,
                lastTransitionTime: now,
              },
            ];
          };
          if (!approved)
            condition(
              'Approved',
              'AutoApproved',
              'Auto approving kubelet certificate after SubjectAccessReview.',
            );
          if (typeof outcome === 'string')
            draft.status.certificate = Buffer.from(outcome).toString('base64');
          else condition('Failed', 'SignerValidationFailure', outcome.failure);
        },
      },
    ]);
    if (result?.ok === false)
      logger.warn('Certificate request could not be answered', {
        name: csr.metadata.name,
        error: result.error,
      });
  }

  /** PEM, or why not; undefined when the signer is not one of ours. */
  #certify(csr: Csr): string | { readonly failure: string } | undefined {
    const rules = signerRules(csr.spec.signerName);
    if (rules === undefined) return undefined;
    try {
      const pem = pemOf(csr);
      const failure = requestProblem(rules, readCsr(pem), csr.spec.usages ?? []);
      if (failure !== undefined) return { failure };
      const seconds = csr.spec.expirationSeconds ?? daysMax * daySeconds;
      const days = Math.min(daysMax, seconds / daySeconds);
      return this.#parts.sign(pem, { usages: [rules.extended], days });
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) };
    }
  }

  /** What needs nobody's approval: a node asking for itself. */
  #isOwn(csr: Csr): boolean {
    const { signerName, usages = [], groups = [], username = '' } = csr.spec;
    const rules = signerRules(signerName);
    if (rules === undefined) return false;
    let asked: CertificateRequest;
    try {
      asked = readCsr(pemOf(csr));
    } catch {
      // A request that cannot be read waits for a person, who sees what it is.
      return false;
    }
    if (requestProblem(rules, asked, usages) !== undefined) return false;
    const { commonName } = asked.subject;
    const isNode = groups.includes('system:nodes') && username === commonName;
    if (signerName === nodeClientSigner)
      return isNode || (groups.includes('system:bootstrappers') && this.#isNew(commonName));
    if (signerName !== nodeServingSigner || !isNode) return false;
    const name = commonName.slice(nodePrefix.length);
    const own = this.#parts.reader.get(nodes, name)?.status?.addresses ?? [];
    const known = new Set([name, ...own.map((one) => one.address)]);
    return [...asked.dnsNames, ...asked.ipAddresses].every((one) => known.has(one));
  }

  /** A joining token must not become a node that is already there and alive. */
  #isNew(commonName: string): boolean {
    const node = this.#parts.reader.get(nodes, commonName.slice(nodePrefix.length));
    const ready = node?.status?.conditions?.find((one) => one.type === 'Ready');
    return ready?.status !== 'True';
  }
}

function pemOf(csr: Csr): string {
  return Buffer.from(csr.spec.request, 'base64').toString('utf8');
}

function has(csr: Csr, type: string): boolean {
  return (csr.status.conditions ?? []).some((one) => one.type === type);
}
