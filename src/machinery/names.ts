/**
 * What names, labels and the like may look like. Every check returns the reference's texts
 * (apimachinery util/validation); an empty list means: good. Lengths are counted in bytes.
 */
export type Texts = readonly string[];

/** `<message> (e.g. 'a',  or 'b', regex used for validation is '<re>')`, spaces as in the reference. */
function regexText(message: string, expression: string, examples: readonly string[]): string {
  const quoted = examples.map((one, index) => `${index > 0 ? ' or ' : ''}'${one}', `).join('');
  return quoted === ''
    ? `${message} (regex used for validation is '${expression}')`
    : `${message} (e.g. ${quoted}regex used for validation is '${expression}')`;
}
export function maxCharactersText(max: number): string {
  return `must be no more than ${max} characters`;
}
export function maxBytesText(max: number): string {
  return `must be no more than ${max} bytes`;
}
export function rangeText(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}
export const notNegativeText = 'must be greater than or equal to 0';
export const positiveText = 'must be greater than zero';
export const immutableText = 'field is immutable';

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

const labelExpression = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainExpression = `${labelExpression}(\\.${labelExpression})*`;
const labelPattern = new RegExp(`^${labelExpression}$`);
const subdomainPattern = new RegExp(`^${subdomainExpression}$`);
const labelText = regexText(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  labelExpression,
  ['my-name', '123-abc'],
);
const subdomainText = regexText(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomainExpression,
  ['example.com'],
);
/** `a` repeated long before a bad end would make a backtracking matcher slow: bound it first. */
const patternBytesMax = 64 * 1024;

function matches(pattern: RegExp, text: string): boolean {
  return text.length <= patternBytesMax && pattern.test(text);
}

export function dns1123Label(text: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 63) found.push(maxCharactersText(63));
  if (!matches(labelPattern, text))
    found.push(matches(subdomainPattern, text) ? 'must not contain dots' : labelText);
  return found;
}
export function dns1123Subdomain(text: string): Texts {
  return subdomainProblems(text, maxCharactersText(253));
}
/** The newer form, which counts in bytes: prefixes of label keys. */
export function dns1123SubdomainBytes(text: string): Texts {
  return subdomainProblems(text, maxBytesText(253));
}
function subdomainProblems(text: string, lengthText: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 253) found.push(lengthText);
  if (!matches(subdomainPattern, text)) found.push(subdomainText);
  return found;
}
export function dns1123SubdomainCaseless(text: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 253) found.push(maxBytesText(253));
  if (!matches(subdomainPattern, text.toLowerCase()))
    found.push(
      regexText(
        "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        subdomainExpression,
        ['Example.com'],
      ),
    );
  return found;
}
const underscoreLabel = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoreExpression = `${underscoreLabel}(\\.${underscoreLabel})*`;
const underscorePattern = new RegExp(`^${underscoreExpression}$`);
export function dns1123SubdomainWithUnderscore(text: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 253) found.push(maxCharactersText(253));
  if (!matches(underscorePattern, text))
    found.push(
      regexText(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        underscoreExpression,
        ['example.com'],
      ),
    );
  return found;
}
const dns1035Expression = '[a-z]([-a-z0-9]*[a-z0-9])?';
const dns1035Pattern = new RegExp(`^${dns1035Expression}$`);
export function dns1035Label(text: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 63) found.push(maxCharactersText(63));
  if (!matches(dns1035Pattern, text))
    found.push(
      regexText(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        dns1035Expression,
        ['my-name', 'abc-123'],
      ),
    );
  return found;
}
const wildcardExpression = `\\*\\.${subdomainExpression}`;
const wildcardPattern = new RegExp(`^${wildcardExpression}$`);
export function wildcardDns1123Subdomain(text: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 253) found.push(maxCharactersText(253));
  if (!matches(wildcardPattern, text))
    found.push(
      regexText(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        wildcardExpression,
        ['*.example.com'],
      ),
    );
  return found;
}

const qualifiedExpression = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const qualifiedPattern = new RegExp(`^${qualifiedExpression}$`);
const qualifiedText = regexText(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualifiedExpression,
  ['MyName', 'my.name', '123-abc'],
);

/** Keys of labels and annotations come again and again: those found good lately are not read anew. */
const goodNames = new Set<string>();
const goodNamesMax = 1000;
const good: Texts = [];

/** `[prefix/]name`: keys of labels and annotations, finalizers, resource names. */
export function qualifiedName(text: string): Texts {
  if (goodNames.has(text)) return good;
  const found = qualifiedNameProblems(text);
  if (found.length > 0) return found;
  if (goodNames.size >= goodNamesMax) goodNames.clear();
  goodNames.add(text);
  return good;
}
function qualifiedNameProblems(text: string): Texts {
  const parts = text.split('/');
  const found: string[] = [];
  if (parts.length > 2)
    return [
      `a valid label key ${qualifiedText} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const name = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') found.push('prefix part must be non-empty');
    else found.push(...dns1123SubdomainBytes(prefix).map((one) => `prefix part ${one}`));
  }
  if (name === '') found.push('name part must be non-empty');
  else if (bytesOf(name) > 63) found.push(`name part ${maxBytesText(63)}`);
  if (!matches(qualifiedPattern, name)) found.push(`name part ${qualifiedText}`);
  return found;
}

const labelValueExpression = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const labelValuePattern = new RegExp(`^${labelValueExpression}$`);
export function labelValue(text: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 63) found.push(maxBytesText(63));
  if (!matches(labelValuePattern, text))
    found.push(
      regexText(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        labelValueExpression,
        ['MyValue', 'my_value', '12345'],
      ),
    );
  return found;
}

/** Names that become part of a path: RBAC kinds, and every kind at least. */
export function pathSegmentName(text: string): Texts {
  if (text === '.' || text === '..') return [`may not be '${text}'`];
  return ['/', '%'].filter((one) => text.includes(one)).map((one) => `may not contain '${one}'`);
}

export function portNumber(port: number): Texts {
  return port >= 1 && port <= 65_535 ? [] : [rangeText(1, 65_535)];
}
export function portName(text: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 15) found.push(maxCharactersText(15));
  if (!/^[-a-z0-9]+$/.test(text))
    found.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(text)) found.push('must contain at least one letter (a-z)');
  if (text.includes('--')) found.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-')) found.push('must not begin or end with a hyphen');
  return found;
}
export function portNumberOrName(port: number | string): Texts {
  return typeof port === 'number' ? portNumber(port) : portName(port);
}
export function userId(id: number): Texts {
  return id >= 0 && id <= 2_147_483_647 ? [] : [rangeText(0, 2_147_483_647)];
}
export const groupId = userId;
export function percent(text: string): Texts {
  return /^[0-9]+%$/.test(text)
    ? []
    : [
        regexText(
          "a valid percent string must be a numeric string followed by an ending '%'",
          '[0-9]+%',
          ['1%', '93%'],
        ),
      ];
}
export function httpHeaderName(text: string): Texts {
  return /^[-A-Za-z0-9]+$/.test(text)
    ? []
    : [
        regexText(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          '[-A-Za-z0-9]+',
          ['X-Header-Name'],
        ),
      ];
}
/** The relaxed rule, the one in use since 1.34. */
export function environmentName(text: string): Texts {
  if (text === '') return ['environment variable name must be non-empty'];
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(text)
    ? []
    : [
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ];
}
/** Keys of ConfigMaps and Secrets. */
export function configMapKey(text: string): Texts {
  const found: string[] = [];
  if (bytesOf(text) > 253) found.push(maxCharactersText(253));
  if (!/^[-._a-zA-Z0-9]+$/.test(text))
    found.push(
      regexText(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        '[-._a-zA-Z0-9]+',
        ['key.name', 'KEY_NAME', 'key-name'],
      ),
    );
  if (text === '.' || text === '..') found.push(`must not be '${text}'`);
  else if (text.startsWith('..')) found.push("must not start with '..'");
  return found;
}
export function cIdentifier(text: string): Texts {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
    ? []
    : [
        regexText(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          '[A-Za-z_][A-Za-z0-9_]*',
          ['my_name', 'MY_NAME', 'MyName'],
        ),
      ];
}
/** At least two labels; a trailing dot is allowed. */
export function fullyQualifiedDomainName(text: string): Texts {
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  if (labels.length < 2) return ['should be a domain with at least two segments separated by dots'];
  return labels.flatMap(dns1123Label);
}
export function fullyQualifiedName(text: string): Texts {
  const found = dns1123Subdomain(text);
  if (found.length > 0) return [found.join(',')];
  return text.split('.').length < 3
    ? ['should be a domain with at least three segments separated by dots']
    : [];
}
const domainPathExpression = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
export function domainPrefixedPath(text: string): Texts {
  const slash = text.indexOf('/');
  if (slash <= 0 || slash === text.length - 1)
    return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  const found = [...dns1123Subdomain(text.slice(0, slash))];
  if (!new RegExp(`^${domainPathExpression}$`).test(text.slice(slash + 1)))
    found.push(`Invalid path (regex used for validation is '${domainPathExpression}')`);
  return found;
}
export function domainPrefixedKey(text: string): Texts {
  const found = qualifiedName(text);
  if (found.length > 0) return found;
  return text.includes('/') ? [] : ['must be a domain-prefixed key (such as "acme.io/foo")'];
}

/** Characters that a manager's name may not have, with the byte at which they stand. */
export function unprintableTexts(text: string, isPrint: (character: string) => boolean): Texts {
  const found: string[] = [];
  let position = 0;
  for (const character of text) {
    if (!isPrint(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      found.push(`invalid character U+${code} (at position ${position})`);
    }
    position += bytesOf(character);
  }
  return found;
}

/** A name that a random suffix will follow: a hyphen at its end is no mistake. */
export function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
/** A name check as a kind declares it, with the mask applied to prefixes. */
export function nameCheck(
  check: (name: string) => Texts,
): (name: string, prefix: boolean) => Texts {
  return (name, prefix) => check(prefix ? maskTrailingDash(name) : name);
}
