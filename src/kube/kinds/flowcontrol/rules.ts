import { dns1123Label, dns1123Subdomain } from '#machinery';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  QueuingConfiguration,
  ResourcePolicyRule,
  Subject,
} from '../types/flowcontrol-v1.ts';

const precedenceMax = 10_000;
const queuesMax = 10_000_000;
const entropyBitsMax = 60;
const verbs = 'create delete deletecollection get list patch proxy update watch'.split(' ');

/** ValidateFlowSchema. */
export function validateFlowSchema({ metadata, spec }: FlowSchema) {
  const root = rootField();
  const field = root.at('spec');
  const { matchingPrecedence: precedence, distinguisherMethod: method } = spec;
  const at = field.at('matchingPrecedence');
  if (precedence <= 0) at.invalid(precedence, 'must be a positive value');
  if (precedence > precedenceMax)
    at.invalid(precedence, `must not be greater than ${precedenceMax}`);
  if (precedence === 1 && metadata.name !== 'exempt')
    at.invalid(precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  if (method !== undefined && method.type !== 'ByUser' && method.type !== 'ByNamespace')
    field
      .at('distinguisherMethod.type')
      .notSupported({ Type: method.type }, ['ByNamespace', 'ByUser']);
  const level = spec.priorityLevelConfiguration.name;
  const name = field.at('priorityLevelConfiguration.name');
  if (level === '') name.required('must reference a priority level');
  else name.invalidAll(level, dns1123Subdomain(level));
  for (const [index, rule] of (spec.rules ?? []).entries())
    checkRules(rule, field.at('rules').at(index));
  return root.found;
}

function checkRules(rule: PolicyRulesWithSubjects, field: Field): void {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rule;
  if ((subjects ?? []).length === 0)
    field.at('subjects').required('subjects must contain at least one value');
  for (const [index, subject] of (subjects ?? []).entries())
    checkSubject(subject, field.at('subjects').at(index));
  if (resourceRules.length + nonResourceRules.length === 0)
    field.required('at least one of resourceRules and nonResourceRules has to be non-empty');
  for (const [index, one] of resourceRules.entries())
    checkResourceRule(one, field.at('resourceRules').at(index));
  for (const [index, one] of nonResourceRules.entries())
    checkUrls(one, field.at('nonResourceRules').at(index));
}

const members = { serviceAccount: 'ServiceAccount', user: 'User', group: 'Group' } as const;

function checkSubject(subject: Subject, field: Field): void {
  const kinds = ['Group', 'ServiceAccount', 'User'];
  if (!kinds.includes(subject.kind)) return field.at('kind').notSupported(subject.kind, kinds);
  for (const key of ['serviceAccount', 'user', 'group'] as const) {
    const kind = members[key];
    if (subject.kind === kind && subject[key] === undefined)
      field.at(key).required(`${key} is required when subject kind is '${kind}'`);
    if (subject.kind !== kind && subject[key] !== undefined)
      field.at(key).forbidden(`${key} is forbidden when subject kind is not '${kind}'`);
  }
  const account = subject.kind === 'ServiceAccount' ? subject.serviceAccount : undefined;
  if (account !== undefined) {
    const at = field.at('serviceAccount');
    if (account.name === '') at.at('name').required();
    else if (account.name !== '*')
      at.at('name').invalidAll(account.name, dns1123Subdomain(account.name));
    if (account.namespace === '')
      at.at('namespace').required('must specify namespace for service account');
    else at.at('namespace').invalidAll(account.namespace, dns1123Label(account.namespace));
  }
  for (const key of ['user', 'group'] as const)
    if (subject.kind === members[key] && subject[key]?.name === '')
      field.at(key).at('name').required();
}

function checkVerbs(given: readonly string[] | null, field: Field): void {
  const list = given ?? [];
  if (list.length === 0) return field.required('verbs must contain at least one value');
  if (list.includes('*')) {
    if (list.length > 1) field.invalid(list, "if '*' is present, must not specify other verbs");
  } else if (list.some((verb) => !verbs.includes(verb))) field.notSupported(list, verbs);
}

/** `*` stands alone. */
function checkStar(given: readonly string[], field: Field, noun: string): void {
  if (given.includes('*') && given.length > 1)
    field.invalid(given, `if '*' is present, must not specify other ${noun}`);
}

function checkResourceRule(rule: ResourcePolicyRule, field: Field): void {
  checkVerbs(rule.verbs, field.at('verbs'));
  const groups = rule.apiGroups ?? [];
  const resources = rule.resources ?? [];
  const namespaces = rule.namespaces ?? [];
  if (groups.length === 0)
    field.at('apiGroups').required('resource rules must supply at least one api group');
  checkStar(groups, field.at('apiGroups'), 'api groups');
  if (resources.length === 0)
    field.at('resources').required('resource rules must supply at least one resource');
  checkStar(resources, field.at('resources'), 'resources');
  const at = field.at('namespaces');
  if (namespaces.length === 0 && rule.clusterScope !== true)
    at.required('resource rules that are not cluster scoped must supply at least one namespace');
  checkStar(namespaces, at, 'namespaces');
  for (const [index, name] of namespaces.entries())
    if (name !== '*')
      for (const text of dns1123Label(name))
        at.at(index).invalid(
          name,
          `each member of this list must be '*' or a DNS-1123 label; ${text}`,
        );
}

function checkUrls({ verbs: given, nonResourceURLs }: NonResourcePolicyRule, field: Field): void {
  checkVerbs(given, field.at('verbs'));
  const at = field.at('nonResourceURLs');
  const urls = nonResourceURLs ?? [];
  if (urls.length === 0) at.required('nonResourceURLs must contain at least one value');
  checkStar(urls, at, 'non-resource URLs');
  for (const [index, url] of urls.entries()) {
    const text = url === '*' ? undefined : urlProblem(url);
    if (text !== undefined) at.at(index).invalid(url, text);
  }
}
function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const stars = url.split('*').length - 1;
  return stars > 1 || (stars === 1 && !url.endsWith('/*'))
    ? 'wildcard can only do suffix matching'
    : undefined;
}

/** ValidatePriorityLevelConfiguration. */
export function validatePriorityLevel({ metadata, spec }: PriorityLevelConfiguration) {
  const root = rootField();
  const field = root.at('spec');
  const { type, limited, exempt } = spec;
  if ((metadata.name === 'exempt') !== (type === 'Exempt'))
    field.at('type').invalid(type, "must be 'Exempt' if and only if `name` is 'exempt'");
  if (type === 'Exempt') {
    if (limited !== undefined)
      field.at('limited').forbidden('must be nil if the type is not Limited');
    checkShares(exempt, field.at('exempt'));
  } else if (type === 'Limited') {
    if (exempt !== undefined) field.at('exempt').forbidden('must be nil if the type is Limited');
    if (limited === undefined)
      field.at('limited').required('must not be empty when type is Limited');
    else checkLimited(limited, field.at('limited'));
  } else field.at('type').notSupported(type, ['Exempt', 'Limited']);
  return root.found;
}

type Shares = PriorityLevelConfiguration['spec']['exempt'];

function checkShares(level: Shares, field: Field): void {
  const shares = level?.nominalConcurrencyShares;
  if (shares !== undefined && shares < 0)
    field.at('nominalConcurrencyShares').invalid(shares, 'must be a non-negative integer');
  if (level?.lendablePercent !== undefined)
    field.at('lendablePercent').between(level.lendablePercent, 0, 100);
}

type Limited = NonNullable<PriorityLevelConfiguration['spec']['limited']>;

function checkLimited(limited: Limited, field: Field): void {
  checkShares(limited, field);
  const { borrowingLimitPercent: borrowing, limitResponse } = limited;
  if (borrowing !== undefined && borrowing < 0)
    field
      .at('borrowingLimitPercent')
      .invalid(borrowing, 'if specified, must be a non-negative integer');
  const at = field.at('limitResponse');
  const { type, queuing } = limitResponse;
  if (type === 'Reject') {
    if (queuing !== undefined)
      at.at('queuing').forbidden('must be nil if limited.limitResponse.type is not Limited');
  } else if (type === 'Queue') {
    if (queuing === undefined)
      at.at('queuing').required('must not be empty if limited.limitResponse.type is Limited');
    else checkQueues(queuing, at.at('queuing'));
  } else at.at('type').notSupported(type, ['Queue', 'Reject']);
}

function checkQueues({ queues, handSize, queueLengthLimit }: QueuingConfiguration, field: Field) {
  if (queueLengthLimit <= 0)
    field.at('queueLengthLimit').invalid(queueLengthLimit, 'must be positive');
  if (queues <= 0) field.at('queues').invalid(queues, 'must be positive');
  else if (queues > queuesMax)
    field.at('queues').invalid(queues, `must not be greater than ${queuesMax}`);
  const at = field.at('handSize');
  if (handSize <= 0) at.invalid(handSize, 'must be positive');
  else if (handSize > queues) at.invalid(handSize, `should not be greater than queues (${queues})`);
  else if (Math.ceil(Math.log2(queues) * handSize) > entropyBitsMax)
    at.invalid(
      handSize,
      `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${entropyBitsMax}`,
    );
}
