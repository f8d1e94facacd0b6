import type {
  AgentInfo,
  Attribute,
  SchedulerAttributeConstraint,
  SchedulerAttributeConstraintPredicate,
  SchedulerAttributeConstraintSelector,
  SchedulerOfferConstraints,
  SchedulerOfferConstraintsRoleConstraints,
} from '../types.ts';
import { RegexError } from './regex-parse.ts';
import { compileRegex, type Regex } from './regex.ts';

/** Which agents a framework wants to be offered, by role (mesos.md 2.11). */
export interface CompiledConstraints {
  /** True for roles without constraints. */
  accepts(role: string, agent: ConstrainedAgent): boolean;
}
export type ConstrainedAgent = Pick<AgentInfo, 'hostname' | 'attributes' | 'domain'>;

// --offer_constraints_re2_max_program_size and --offer_constraints_re2_max_mem
const programSizeMax = 100;
const patternBytesMax = 4096;

type Test = (agent: ConstrainedAgent) => boolean;
/** Undefined: the agent has no such attribute. */
type Judge = (value: Attribute | string | undefined) => boolean;

/** The result is a string when they are not valid: the text after `Offer constraints are not valid: `. */
export function compileOfferConstraints(
  constraints: SchedulerOfferConstraints,
): CompiledConstraints | string {
  const byRole = new Map<string, readonly (readonly Test[])[]>();
  for (const [role, roleConstraints] of Object.entries(constraints.role_constraints ?? {})) {
    const groups = compileGroups(role, roleConstraints);
    if (typeof groups === 'string') return groups;
    byRole.set(role, groups);
  }
  return {
    accepts(role, agent) {
      const groups = byRole.get(role);
      return groups === undefined || groups.some((group) => group.every((test) => test(agent)));
    },
  };
}

function compileGroups(
  role: string,
  { groups = [] }: SchedulerOfferConstraintsRoleConstraints,
): readonly (readonly Test[])[] | string {
  if (groups.length === 0)
    return `'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role ${role}`;
  const compiled: Test[][] = [];
  for (const { attribute_constraints: list = [] } of groups) {
    if (list.length === 0)
      return `'OfferConstraints::RoleConstraints::groups' for role ${role}contains an empty RoleConstraints::Group`;
    const tests: Test[] = [];
    for (const constraint of list) {
      const test = compileConstraint(constraint);
      if (typeof test === 'string')
        return `A role ${role} has an invalid 'AttributeConstraint': ${test}`;
      tests.push(test);
    }
    compiled.push(tests);
  }
  return compiled;
}

function compileConstraint(constraint: SchedulerAttributeConstraint): Test | string {
  const select = compileSelector(constraint.selector);
  if (typeof select === 'string') return select;
  const judge = compilePredicate(constraint.predicate);
  if (typeof judge === 'string') return judge;
  return (agent) => judge(select(agent));
}

function compileSelector(
  selector: SchedulerAttributeConstraintSelector,
): ((agent: ConstrainedAgent) => Attribute | string | undefined) | string {
  const { attribute_name: name, pseudoattribute_type: pseudo } = selector;
  if (pseudo === 'HOSTNAME') return ({ hostname }) => hostname;
  if (pseudo === 'REGION') return ({ domain }) => domain?.fault_domain?.region.name;
  if (pseudo === 'ZONE') return ({ domain }) => domain?.fault_domain?.zone.name;
  if (pseudo !== undefined) return 'Unknown pseudoattribute type';
  if (name === undefined)
    return "Exactly one of 'AttributeConstraint::Selector::name' or 'AttributeConstraint::Selector::pseudoattribute_type' must be set";
  return ({ attributes = [] }) => attributes.find((attribute) => attribute.name === name);
}

function compilePredicate(predicate: SchedulerAttributeConstraintPredicate): Judge | string {
  const { exists, not_exists: notExists } = predicate;
  const { text_equals: equals, text_not_equals: notEquals } = predicate;
  const { text_matches: matches, text_not_matches: notMatches } = predicate;
  if (exists !== undefined) return (value) => value !== undefined;
  if (notExists !== undefined) return (value) => value === undefined;
  if (equals !== undefined) return textJudge(false, (text) => text === equals.value);
  if (notEquals !== undefined) return textJudge(true, (text) => text !== notEquals.value);
  if (matches !== undefined) {
    const regex = boundedRegex(matches.regex);
    return typeof regex === 'string' ? regex : textJudge(false, (text) => regex.matches(text));
  }
  if (notMatches === undefined) return 'Unknown predicate type';
  const regex = boundedRegex(notMatches.regex);
  return typeof regex === 'string' ? regex : textJudge(true, (text) => !regex.matches(text));
}

/** Attributes that are no text satisfy every predicate about texts. */
function textJudge(whenAbsent: boolean, judge: (text: string) => boolean): Judge {
  return (value) => {
    if (value === undefined) return whenAbsent;
    if (typeof value === 'string') return judge(value);
    return value.type !== 'TEXT' || judge(value.text?.value ?? '');
  };
}

function boundedRegex(pattern: string): Regex | string {
  const failed = `Failed to construct regex from pattern '${pattern}': `;
  if (pattern.length > patternBytesMax) return `${failed}pattern too large - compile failed`;
  try {
    const regex = compileRegex(pattern);
    if (regex.programSize <= programSizeMax) return regex;
    return `Regex '${pattern}' is too complex: program size of ${regex.programSize} is larger than maximum of ${programSizeMax} allowed`;
  } catch (error) {
    if (error instanceof RegexError) return failed + error.message;
    throw error;
  }
}
