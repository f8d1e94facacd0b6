import { wholePattern } from './pattern/pattern.ts';
import type { Constraint, ConstraintOperator } from './types.ts';

export const constraintOperators: readonly ConstraintOperator[] = [
  'UNIQUE',
  'CLUSTER',
  'GROUP_BY',
  'LIKE',
  'UNLIKE',
  'MAX_PER',
  'IS',
];

const operatorText =
  'operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS';
const wholeNumber = /^[+-]?\d{1,10}$/;
const literal = /^[a-zA-Z0-9_/.-]*$/;

/** An app's constraint (two or three strings) as a pod's; a text when it is none. */
export function parseConstraint(parts: readonly string[]): Constraint | string {
  const [fieldName, operator, value] = parts;
  if (parts.length < 2 || parts.length > 3) return 'Each constraint must have either 2 or 3 fields';
  if (fieldName === undefined || operator === undefined) return 'Missing field and operator';
  if (fieldName === '') return 'illegal constraint specification';
  const known = constraintOperators.find((one) => one === operator.toUpperCase());
  if (known === undefined) return operatorText;
  return { fieldName, operator: known, ...(value === undefined ? {} : { value }) };
}

/** What is wrong with a constraint, if anything. */
export function constraintText({ fieldName, operator, value }: Constraint): string | undefined {
  if (fieldName === '') return 'missing field for constraint declaration';
  switch (operator) {
    case 'UNIQUE':
      return value === undefined ? undefined : 'UNIQUE does not accept a value';
    case 'CLUSTER':
      return undefined;
    case 'GROUP_BY':
      return value === undefined || wholeNumber.test(value)
        ? undefined
        : 'GROUP BY must define an integer value or else no value at all';
    case 'MAX_PER':
      return value !== undefined && wholeNumber.test(value)
        ? undefined
        : 'MAX_PER requires an integer value';
    case 'LIKE':
    case 'UNLIKE':
      if (value === undefined)
        return 'LIKE and UNLIKE require a non-empty, regular expression value';
      return wholePattern(value) === undefined ? 'is not a valid regular expression' : undefined;
    default:
      return literal.test(value ?? '')
        ? undefined
        : 'IS only supports Mesos text and float values ' +
            '(see http://mesos.apache.org/documentation/latest/attributes-resources/)';
  }
}

/** What is wrong with an app's constraint, if anything. */
export function appConstraintText(parts: readonly string[]): string | undefined {
  const constraint = parseConstraint(parts);
  return typeof constraint === 'string' ? constraint : constraintText(constraint);
}

/** A volume's constraint: the path of a disk against an expression. */
export function volumeConstraintProblem(
  parts: readonly string[],
): { readonly path: string; readonly text: string } | undefined {
  const [field, operator, value] = parts;
  if (field === undefined && operator === undefined)
    return { path: '', text: 'Missing field and operator' };
  if (field !== 'path' || operator === undefined || value === undefined)
    return { path: '', text: `Unsupported constraint ${parts.join(',')}` };
  const known = constraintOperators.find((one) => one === operator);
  if (known === undefined) return { path: '', text: `unknown constraint operator ${operator}` };
  if (known !== 'LIKE' && known !== 'UNLIKE')
    return { path: '', text: 'Operator must be one of LIKE, UNLIKE' };
  return wholePattern(value) === undefined
    ? { path: `/${value}`, text: 'Invalid regular expression' }
    : undefined;
}
