/**
 * Checks of names, each answering the texts of what is wrong (k8s apimachinery util/validation).
 * Lengths count bytes in the reference; every accepted character is ASCII, so code units serve.
 */
const none: readonly string[] = [];
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const labelName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const underscored = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';

const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${subdomain}$`);
const underscoredPattern = new RegExp(`^${underscored}(\\.${underscored})*$`);
const dns1035Pattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const wildcardPattern = new RegExp(`^\\*\\.${subdomain}$`);
const labelNamePattern = new RegExp(`^${labelName}$`);
const percentPattern = /^[0-9]+%$/;
const headerPattern = /^[-A-Za-z0-9]+$/;
const configKeyPattern = /^[-._a-zA-Z0-9]+$/;
const domainPathPattern = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;
const cIdentifierPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

function regexText(message: string, pattern: string, examples: readonly string[] = []): string {
  const given = examples.map((example) => `'${example}', `).join(' or ');
  return examples.length === 0
    ? `${message} (regex used for validation is '${pattern}')`
    : `${message} (e.g. ${given}regex used for validation is '${pattern}')`;
}
function lengthText(max: number): string {
  return `must be no more than ${max} characters`;
}

const labelText = regexText(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  label,
  ['my-name', '123-abc'],
);
const subdomainText = regexText(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  `${label}(\\.${label})*`,
  ['example.com'],
);
const underscoredText = regexText(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  `${underscored}(\\.${underscored})*`,
  ['example.com'],
);
const dns1035Text = regexText(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  ['my-name', 'abc-123'],
);
const wildcardText = regexText(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  `\\*\\.${label}(\\.${label})*`,
  ['*.example.com'],
);
const consists =
  "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const nameExamples = ['MyName', 'my.name', '123-abc'];
const namePartText = regexText(`name part must ${consists}`, labelName, nameExamples);
const labelKeyText = `${regexText(`a valid label key must ${consists}`, labelName, nameExamples)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
const labelValueText = regexText(
  `a valid label must be an empty string or ${consists}`,
  `(${labelName})?`,
  ['MyValue', 'my_value', '12345'],
);
const percentText = regexText(
  "a valid percent string must be a numeric string followed by an ending '%'",
  '[0-9]+%',
  ['1%', '93%'],
);
const headerText = regexText(
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  '[-A-Za-z0-9]+',
  ['X-Header-Name'],
);
const configKeyText = regexText(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  '[-._a-zA-Z0-9]+',
  ['key.name', 'KEY_NAME', 'key-name'],
);
const cIdentifierText = regexText(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  '[A-Za-z_][A-Za-z0-9_]*',
  ['my_name', 'MY_NAME', 'MyName'],
);

export function labelProblems(value: string): readonly string[] {
  if (value.length <= 63 && labelPattern.test(value)) return none;
  const texts = value.length > 63 ? [lengthText(63)] : [];
  if (labelPattern.test(value)) return texts;
  return [...texts, subdomainPattern.test(value) ? 'must not contain dots' : labelText];
}
export function subdomainProblems(value: string): readonly string[] {
  if (value.length <= 253 && subdomainPattern.test(value)) return none;
  const texts = value.length > 253 ? [lengthText(253)] : [];
  return subdomainPattern.test(value) ? texts : [...texts, subdomainText];
}
/** With underscores, as in DNS search paths. */
export function searchDomainProblems(value: string): readonly string[] {
  const texts = value.length > 253 ? [lengthText(253)] : [];
  return underscoredPattern.test(value) ? texts : [...texts, underscoredText];
}
export function dns1035Problems(value: string): readonly string[] {
  const texts = value.length > 63 ? [lengthText(63)] : [];
  return dns1035Pattern.test(value) ? texts : [...texts, dns1035Text];
}
export function wildcardProblems(value: string): readonly string[] {
  const texts = value.length > 253 ? [lengthText(253)] : [];
  return wildcardPattern.test(value) ? texts : [...texts, wildcardText];
}

/** A label key: `name` or `prefix/name`. */
export function qualifiedNameProblems(value: string): readonly string[] {
  if (value.length <= 63 && labelNamePattern.test(value)) return none;
  const parts = value.split('/');
  if (parts.length > 2) return [labelKeyText];
  const texts: string[] = [];
  const name = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') texts.push('prefix part must be non-empty');
    else {
      if (prefix.length > 253) texts.push('prefix part must be no more than 253 bytes');
      if (!subdomainPattern.test(prefix)) texts.push(`prefix part ${subdomainText}`);
    }
  }
  if (name === '') texts.push('name part must be non-empty');
  else if (name.length > 63) texts.push('name part must be no more than 63 bytes');
  if (!labelNamePattern.test(name)) texts.push(namePartText);
  return texts;
}
export function labelValueProblems(value: string): readonly string[] {
  if (value === '' || (value.length <= 63 && labelNamePattern.test(value))) return none;
  const texts = value.length > 63 ? ['must be no more than 63 bytes'] : [];
  return labelNamePattern.test(value) ? texts : [...texts, labelValueText];
}

export function portNumberProblems(value: number): readonly string[] {
  return value >= 1 && value <= 65_535 ? none : ['must be between 1 and 65535, inclusive'];
}
/** IANA service names. */
export function portNameProblems(value: string): readonly string[] {
  const texts: string[] = [];
  if (value.length > 15) texts.push(lengthText(15));
  if (!/^[-a-z0-9]+$/.test(value))
    texts.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) texts.push('must contain at least one letter (a-z)');
  if (value.includes('--')) texts.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-'))
    texts.push('must not begin or end with a hyphen');
  return texts;
}
export function portProblems(value: number | string): readonly string[] {
  return typeof value === 'number' ? portNumberProblems(value) : portNameProblems(value);
}

export function percentProblems(value: string): readonly string[] {
  return percentPattern.test(value) ? none : [percentText];
}
export function httpHeaderProblems(value: string): readonly string[] {
  return headerPattern.test(value) ? none : [headerText];
}
/** Keys of ConfigMaps and Secrets, names of files made from them. */
export function configKeyProblems(value: string): readonly string[] {
  if (value.length <= 253 && configKeyPattern.test(value) && !value.startsWith('.')) return none;
  const texts: string[] = [];
  if (value.length > 253) texts.push(lengthText(253));
  if (!configKeyPattern.test(value)) texts.push(configKeyText);
  if (value === '.') texts.push("must not be '.'");
  else if (value === '..') texts.push("must not be '..'");
  else if (value.startsWith('..')) texts.push("must not start with '..'");
  return texts;
}
/** The relaxed rule of 1.36: anything printable but '='. */
export function environmentNameProblems(value: string): readonly string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(value)
    ? none
    : [
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ];
}
export function cIdentifierProblems(value: string): readonly string[] {
  return cIdentifierPattern.test(value) ? none : [cIdentifierText];
}
/** Names that only have to fit into a URL's path (RBAC). */
export function pathSegmentProblems(value: string): readonly string[] {
  if (value === '.') return ["may not be '.'"];
  if (value === '..') return ["may not be '..'"];
  const texts: string[] = [];
  if (value.includes('/')) texts.push("may not contain '/'");
  if (value.includes('%')) texts.push("may not contain '%'");
  return texts;
}
export const domainPathText = regexText('Invalid path', "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+");
export function isDomainPath(value: string): boolean {
  return domainPathPattern.test(value);
}

/** For `nameProblems` of declarations: `prefix` says that the name ends in a generated part. */
export function masked(check: (value: string) => readonly string[]) {
  return (name: string, prefix: boolean): readonly string[] => check(prefix ? mask(name) : name);
}
/** A trailing dash of a generateName is fine: what is generated follows it. */
function mask(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
