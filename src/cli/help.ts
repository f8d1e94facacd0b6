import { verbs } from './verbs.ts';
import type { Flag, VerbDeclaration } from './verbs.ts';

/** The overview: what it is, what to type first, every verb in a line. */
export function overview(): string {
  const width = Math.max(...verbs.map(({ name }) => name.length)) + 2;
  const lines = verbs.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return [
    'tandem: a cluster that runs Kubernetes objects on this machine',
    '',
    'Start with:',
    '  tandem up                 then use kubectl, or the verbs below',
    '',
    'Verbs:',
    ...lines,
    '',
    '"tandem help VERB" shows flags and examples.',
    '',
  ].join('\n');
}

export function verbHelp(verb: VerbDeclaration): string {
  const lines = [
    `tandem ${verb.name}${verb.arguments === '' ? '' : ` ${verb.arguments}`}`,
    '',
    `  ${verb.summary}`,
  ];
  if (verb.help !== undefined) lines.push('', ...wrap(verb.help, 76).map((line) => `  ${line}`));
  if (verb.flags.length > 0) {
    const names = verb.flags.map(flagText);
    const width = Math.max(...names.map((name) => name.length)) + 2;
    lines.push('', 'Flags:');
    for (const [index, flag] of verb.flags.entries())
      lines.push(`  ${(names[index] ?? '').padEnd(width)}${flag.help}`);
  }
  lines.push('', 'Examples:', ...verb.examples.map((example) => `  ${example}`), '');
  return lines.join('\n');
}

function flagText(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
