import { UsageError } from './errors.ts';
import { verbs } from './verbs.ts';

/** A completion script for a shell, made of the table of verbs. */
export function completionScript(shell: string): string {
  const scripts: Readonly<Record<string, () => string>> = { bash, zsh, fish };
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined) throw new UsageError(`no completion for "${shell}": bash, zsh or fish`);
  return script();
}

function wordsOf(name: string): string {
  const verb = verbs.find((candidate) => candidate.name === name);
  const flags = (verb?.flags ?? []).map((flag) => `--${flag.name}`);
  return [...(verb?.words ?? []), ...flags, '--help'].join(' ');
}

function bash(): string {
  const cases = verbs.map(({ name }) => `    ${name}) words="${wordsOf(name)}" ;;`);
  return `# bash completion for tandem
_tandem() {
  local current words
  current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${verbs.map(({ name }) => name).join(' ')}" -- "$current"))
    return
  fi
  words=""
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _tandem tandem ./tandem
`;
}

function zsh(): string {
  const names = verbs.map(
    ({ name, summary }) =>
      `    '${name}:${summary.replaceAll("'", "'\\''").replaceAll(':', '\\:')}'`,
  );
  const cases = verbs.map(({ name }) => `      ${name}) compadd -- ${wordsOf(name)} ;;`);
  return `#compdef tandem
_tandem() {
  local -a names
  names=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'verb' names
  else
    case "\${words[2]}" in
${cases.join('\n')}
    esac
    _files
  fi
}
compdef _tandem tandem
`;
}

function fish(): string {
  const lines = ['# fish completion for tandem', 'complete -c tandem -f -n __fish_use_subcommand'];
  for (const verb of verbs) {
    const summary = verb.summary.replaceAll("'", "\\'");
    lines.push(`complete -c tandem -n __fish_use_subcommand -a ${verb.name} -d '${summary}'`);
    const seen = `-n '__fish_seen_subcommand_from ${verb.name}'`;
    for (const word of verb.words ?? []) lines.push(`complete -c tandem ${seen} -a ${word}`);
    for (const flag of verb.flags)
      lines.push(
        `complete -c tandem ${seen} -l ${flag.name}${flag.short === undefined ? '' : ` -s ${flag.short}`} -d '${flag.help.replaceAll("'", "\\'")}'`,
      );
  }
  return `${lines.join('\n')}\n`;
}
