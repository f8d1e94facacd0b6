import type { AdmissionPlugin, AdmissionRequest, Reader } from '#apiserver';
import { namespaces, pods, type Namespace, type Pod, type PodTemplateSpec } from '#kube/kinds';
import { type KubeObject, invalid, problem } from '#machinery';
import { draftOf, isFor, refuse } from './about.ts';
import { type Level, type Policy, podViolations, violationText } from './pod-security-checks.ts';

const prefix = 'pod-security.kubernetes.io/';
/** The newest policy we know; `latest` means this one. */
const newestMinor = 36;
const levels: readonly string[] = ['privileged', 'baseline', 'restricted'];
const checkedPodsMax = 3000;

/** Plural of a workload to where its Pod template lies. */
const templates: Readonly<Record<string, (object: KubeObject) => PodTemplateSpec | undefined>> = {
  'apps/deployments': specTemplate,
  'apps/replicasets': specTemplate,
  'apps/statefulsets': specTemplate,
  'apps/daemonsets': specTemplate,
  'batch/jobs': specTemplate,
  '/replicationcontrollers': specTemplate,
  '/podtemplates': (object) => (object as KubeObject & { template?: PodTemplateSpec }).template,
  'batch/cronjobs': (object) =>
    (object as KubeObject & { spec?: { jobTemplate?: { spec?: { template?: PodTemplateSpec } } } })
      .spec?.jobTemplate?.spec?.template,
};

function specTemplate(object: KubeObject): PodTemplateSpec | undefined {
  return (object as KubeObject & { spec?: { template?: PodTemplateSpec } }).spec?.template;
}

/** Pod Security admission: namespaces' labels say what Pods may ask for. */
export function podSecurity(reader: Reader): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    validate(request) {
      if (isFor(request, '', 'namespaces')) validateNamespace(request, reader);
      else if (isFor(request, '', 'pods') || isEphemeral(request)) validatePod(request, reader);
      else validateWorkload(request, reader);
    },
  };
}

function isEphemeral(request: AdmissionRequest): boolean {
  return (
    request.kind.plural === 'pods' &&
    request.kind.group === '' &&
    request.subresource === 'ephemeralcontainers'
  );
}

function validatePod(request: AdmissionRequest, reader: Reader): void {
  if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
  const pod = draftOf<Pod>(request);
  const old = request.old as Pod | undefined;
  if (old !== undefined && !isSignificant(pod as Pod, old)) return;
  const policies = policiesOf(reader, request.namespace);
  if (policies === undefined) return;
  const parts = { spec: pod.spec as Pod['spec'], annotations: pod.metadata.annotations ?? {} };
  const enforced = podViolations(parts, policies.enforce);
  if (enforced.length > 0)
    throw refuse(
      request,
      `violates PodSecurity "${title(policies.enforce)}": ${violationText(enforced)}`,
    );
  const warned = podViolations(parts, policies.warn);
  if (warned.length > 0)
    request.warn(`would violate PodSecurity "${title(policies.warn)}": ${violationText(warned)}`);
}

/** Updates of metadata, tolerations and the like cannot make a Pod worse. */
function isSignificant(pod: Pod, old: Pod): boolean {
  const weigh = (one: Pod): string => {
    const strip = (container: { readonly image?: string | undefined }): object => ({
      ...container,
      image: undefined,
    });
    const { tolerations, activeDeadlineSeconds, schedulingGates, nodeSelector, affinity, ...spec } =
      one.spec;
    void [tolerations, activeDeadlineSeconds, schedulingGates, nodeSelector, affinity];
    return JSON.stringify([
      {
        ...spec,
        containers: spec.containers.map(strip),
        initContainers: (spec.initContainers ?? []).map(strip),
      },
      Object.entries(one.metadata.annotations ?? {}).filter(
        ([key]) => key.includes('apparmor') || key.includes('seccomp'),
      ),
    ]);
  };
  return weigh(pod) !== weigh(old);
}

function validateWorkload(request: AdmissionRequest, reader: Reader): void {
  if (request.subresource !== '' || request.object === undefined) return;
  if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
  const template = templates[`${request.kind.group}/${request.kind.plural}`]?.(
    request.object as unknown as KubeObject,
  );
  if (template?.spec === undefined) return;
  const policies = policiesOf(reader, request.namespace);
  if (policies === undefined) return;
  const parts = { spec: template.spec, annotations: template.metadata?.annotations ?? {} };
  const warned = podViolations(parts, policies.warn);
  if (warned.length > 0)
    request.warn(`would violate PodSecurity "${title(policies.warn)}": ${violationText(warned)}`);
}

interface Policies {
  readonly enforce: Policy;
  readonly warn: Policy;
}

function policiesOf(reader: Reader, namespace: string): Policies | undefined {
  const labels = reader.get(namespaces, namespace)?.metadata.labels;
  return labels === undefined ? undefined : readPolicies(labels);
}

function readPolicies(labels: Readonly<Record<string, string>>): Policies {
  const enforce = policyOf(labels, 'enforce', 'restricted');
  // Without a label of its own a warning is given of what would be refused.
  const warn =
    labels[`${prefix}warn`] === undefined ? enforce : policyOf(labels, 'warn', 'privileged');
  return { enforce, warn };
}

/** A level that cannot be read counts as `fallback`: the strict one where Pods are refused. */
function policyOf(labels: Readonly<Record<string, string>>, mode: string, fallback: Level): Policy {
  const level = labels[prefix + mode];
  const version = labels[`${prefix}${mode}-version`] ?? 'latest';
  const minor = /^v1\.(0|[1-9]\d*)$/.exec(version)?.[1];
  return {
    level: level === undefined ? 'privileged' : isLevel(level) ? level : fallback,
    minor: minor === undefined ? newestMinor : Math.min(Number(minor), newestMinor),
  };
}

function isLevel(text: string | undefined): text is Level {
  return text !== undefined && levels.includes(text);
}

function title(policy: Policy): string {
  return `${policy.level}:${policy.minor === newestMinor ? 'latest' : `v1.${policy.minor}`}`;
}

function validateNamespace(request: AdmissionRequest, reader: Reader): void {
  if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
  const namespace = draftOf<Namespace>(request);
  const labels = namespace.metadata.labels ?? {};
  const oldLabels = request.old?.metadata.labels ?? {};
  const problems = ['enforce', 'audit', 'warn'].flatMap((mode) => {
    const level = labels[prefix + mode];
    const version = labels[`${prefix}${mode}-version`];
    return [
      ...(level === undefined || levels.includes(level)
        ? []
        : [
            problem.invalid(
              `metadata.labels[${prefix}${mode}]`,
              level,
              `must be one of ${levels.join(', ')}`,
            ),
          ]),
      ...(version === undefined || version === 'latest' || /^v1\.(0|[1-9]\d*)$/.test(version)
        ? []
        : [
            problem.invalid(
              `metadata.labels[${prefix}${mode}-version]`,
              version,
              'must be "latest" or "v1.x"',
            ),
          ]),
    ];
  });
  const unchanged = Object.keys({ ...labels, ...oldLabels }).every(
    (key) => !key.startsWith(prefix) || labels[key] === oldLabels[key],
  );
  if (request.operation === 'UPDATE' && unchanged) return;
  if (problems.length > 0) throw invalid(request.kind, request.name, problems);
  if (request.operation === 'UPDATE') warnOfExisting(request, reader, readPolicies(labels).enforce);
}

/** Tightening a namespace names the Pods that would not be let in any more. */
function warnOfExisting(request: AdmissionRequest, reader: Reader, policy: Policy): void {
  if (policy.level === 'privileged') return;
  const found = new Map<string, string[]>();
  const all = reader.list(pods, request.name).slice(0, checkedPodsMax);
  for (const pod of all) {
    const violations = podViolations(
      { spec: pod.spec, annotations: pod.metadata.annotations ?? {} },
      policy,
    );
    if (violations.length === 0) continue;
    const reasons = violations.map((one) => one.reason).join(', ');
    const names = found.get(reasons) ?? [];
    names.push(pod.metadata.name);
    found.set(reasons, names);
  }
  if (found.size === 0) return;
  request.warn(
    `existing pods in namespace ${JSON.stringify(request.name)} violate the new PodSecurity enforce level "${title(policy)}"`,
  );
  for (const [reasons, names] of found) {
    const [first = ''] = names.toSorted();
    const others = names.length - 1;
    const more = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`;
    request.warn(`${first}${more}: ${reasons}`);
  }
}
