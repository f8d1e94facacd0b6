/**
 * The rules no off-the-shelf linter knows: the table of parts, what may touch the operating system,
 * sizes of files and functions.
 *
 * Usage: node tools/tidy.ts [PATH...]   one line per finding and exit status 1 when untidy; with
 * paths only findings below them count.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** Each part and the parts it may import. A part missing here is an error, so the map stays whole. */
const parts: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ['base'],
  io: ['base'],
  store: ['base', 'wire', 'io'],
  pool: ['base'],
  machinery: ['base', 'wire'],
  apiserver: ['base', 'wire', 'io', 'store', 'machinery'],
  client: ['base', 'wire', 'io', 'machinery'],
  'kube/kinds': ['base', 'machinery'],
  'kube/server': ['base', 'wire', 'io', 'pool', 'machinery', 'apiserver', 'kube/kinds'],
  'kube/controllers': ['base', 'machinery', 'client', 'kube/kinds'],
  'kube/scheduler': ['base', 'machinery', 'client', 'pool', 'kube/kinds'],
  'mesos/protocol': ['base', 'wire'],
  'mesos/kinds': ['base', 'machinery', 'mesos/protocol'],
  'mesos/allocator': ['base', 'pool'],
  'mesos/master': [
    'base',
    'wire',
    'machinery',
    'client',
    'pool',
    'kube/kinds',
    'mesos/protocol',
    'mesos/kinds',
    'mesos/allocator',
  ],
  'mesos/marathon': ['base', 'machinery', 'client', 'mesos/protocol', 'mesos/kinds'],
  'node/runtime': ['base', 'wire', 'io'],
  'node/kubelet': ['base', 'wire', 'io', 'machinery', 'client', 'kube/kinds', 'node/runtime'],
  'node/executors': [
    'base',
    'wire',
    'io',
    'machinery',
    'client',
    'kube/kinds',
    'mesos/protocol',
    'mesos/kinds',
    'node/runtime',
  ],
  'net/proxy': ['base', 'io', 'machinery', 'client', 'kube/kinds'],
  'net/dns': ['base', 'wire', 'io', 'client', 'kube/kinds', 'mesos/kinds'],
  cli: ['base', 'wire', 'io', 'client', 'kube/kinds', 'mesos/kinds'],
  main: ['*'],
  sim: ['*'],
};

/** Only these touch the operating system. Everything else must run inside the simulator. */
const osParts = new Set(['io', 'node/runtime', 'cli', 'main']);
const pureBuiltins = new Set([
  'node:assert',
  'node:assert/strict',
  'node:util',
  'node:buffer',
  'node:events',
]);

/** Builtins that single parts need and that the simulator can live with. */
const partBuiltins: Readonly<Record<string, readonly string[]>> = {
  wire: ['node:zlib'],
  store: ['node:sqlite', 'node:worker_threads', 'node:zlib'],
  apiserver: ['node:crypto'],
  'mesos/kinds': ['node:crypto'],
  'net/dns': ['node:crypto'],
};

/** Derived data and types: free of the limits on size. */
const derived =
  /^src\/(kube\/kinds\/(types|facts|tables)\/|mesos\/protocol\/types\.ts|mesos\/marathon\/model\/types\.ts)/;

const fileLinesMax = 500;
const functionLinesMax = 70;

/** Ambient sources of time and chance. The clock and the random source are passed in instead. */
const ambient =
  /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|setTimeout|setInterval|randomUUID|randomBytes|getRandomValues)\b/;

const importPattern =
  /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly text: string;
}

function checkFile(file: string, source: string): Finding[] {
  const part = partOf(file);
  if (part === undefined)
    return [{ file, line: 1, rule: 'part', text: 'Folder is not in the map of parts' }];
  const isTest = file.endsWith('.test.ts');
  const findings = checkImports({ file, part, isTest }, source);
  if (derived.test(file)) return findings;
  const lines = source.split('\n');
  if (!isTest) findings.push(...checkSizes(file, lines));
  if (isTest || osParts.has(part) || part === 'sim') return findings;
  for (const [index, text] of lines.entries()) {
    const code = text.replace(/\/\/.*$/, '');
    if (ambient.test(code) && !/^\s*\*/.test(code))
      findings.push({
        file,
        line: index + 1,
        rule: 'ambient',
        text: `Pass the clock or random source in: ${code.trim()}`,
      });
  }
  return findings;
}

/** Files and top-level functions (formatted code: a function ends at the brace in its own column). */
function checkSizes(file: string, lines: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  if (lines.length > fileLinesMax + 1)
    findings.push({
      file,
      line: fileLinesMax,
      rule: 'size',
      text: `File has ${lines.length} lines, at most ${fileLinesMax} are readable`,
    });
  const start =
    /^(\s*)(?:(?:export )?(?:async )?function\b|(?:(?:static|override|async|get|set) )*\*?[#\w]+\([^;]*\)(?:: [^={]+)? \{$)/;
  for (const [index, text] of lines.entries()) {
    const match = start.exec(text);
    if (match === null || /^\s*(if|for|while|switch|catch|return|else)\b/.test(text)) continue;
    const indent = match[1] ?? '';
    const end = lines.findIndex(
      (line, at) => at > index && (line === `${indent}}` || line === `${indent}},`),
    );
    if (end - index > functionLinesMax)
      findings.push({
        file,
        line: index + 1,
        rule: 'size',
        text: `Function has ${end - index + 1} lines, at most ${functionLinesMax} are readable`,
      });
  }
  return findings;
}

interface Site {
  readonly file: string;
  readonly part: string;
  readonly isTest: boolean;
}

function checkImports(site: Site, source: string): Finding[] {
  const findings: Finding[] = [];
  for (const match of source.matchAll(importPattern)) {
    const target = match[1] ?? match[2] ?? '';
    const problem = checkImport(site, target);
    if (problem === undefined) continue;
    const line = source.slice(0, match.index + 1).split('\n').length;
    findings.push({ file: site.file, line, ...problem });
  }
  return findings;
}

function checkImport(site: Site, target: string): { rule: string; text: string } | undefined {
  const { file, part, isTest } = site;
  const allowed = parts[part] ?? [];
  if (target.startsWith('#')) {
    const wanted = target.slice(1);
    if (allowed.includes('*') || allowed.includes(wanted) || wanted === part) return undefined;
    // Tests put parts together as main does; production code never may.
    if (isTest && ['sim', 'io', 'store', 'kube/kinds', 'wire'].includes(wanted)) return undefined;
    return {
      rule: 'layer',
      text: `"${part}" may not import "${wanted}": it may import ${allowed.join(', ') || 'nothing'}`,
    };
  }
  if (target.startsWith('.')) {
    const landed = partOf(relative('.', resolve(dirname(file), target)));
    return landed === part
      ? undefined
      : { rule: 'reach', text: `Relative import leaves "${part}": use "#${landed}"` };
  }
  if (target.startsWith('node:')) {
    if (osParts.has(part) || part === 'sim' || isTest || pureBuiltins.has(target)) return undefined;
    if (partBuiltins[part]?.includes(target)) return undefined;
    return { rule: 'os', text: `Only ${[...osParts].join(', ')} may import "${target}"` };
  }
  return undefined; // third-party packages are judged by the allow-list in package.json
}

function partOf(file: string): string | undefined {
  const inside = file.split(sep).slice(1).join('/');
  return Object.keys(parts)
    .filter((name) => inside.startsWith(`${name}/`))
    .toSorted((a, b) => b.length - a.length)[0];
}

function main(): void {
  const only = process.argv.slice(2);
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const findings = files
    .map((name) => join('src', name))
    .filter((file) => only.length === 0 || only.some((path) => file.startsWith(path)))
    .flatMap((file) => checkFile(file, readFileSync(file, 'utf8')));
  for (const { file, line, rule, text } of findings)
    console.log(`${file}:${line}: ${rule}: ${text}`);
  console.log(`${files.length} files, ${findings.length} findings`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

main();
