import { hash } from 'node:crypto';

/**
 * Names of frameworks and tasks as DNS labels (mesos-dns records/labels): small letters, digits and
 * dashes; dots and underscores become dashes, all else is dropped.
 */
export function labelOf(name: string): string {
  let mapped = '';
  for (const character of name) {
    if (/[a-z0-9-]/i.test(character)) mapped += character.toLowerCase();
    else if (character === '.' || character === '_') mapped += '-';
  }
  return cut(mapped.replace(/^-+/, ''));
}

const labelLengthMax = 63;

/** What is lost at the end because a label may not end in a dash is made up for by what follows. */
function cut(text: string): string {
  const size = Math.min(text.length, labelLengthMax);
  const head = text.slice(0, size).replace(/-+$/, '');
  if (head.length === size) return head;
  return (
    head +
    text
      .slice(size)
      .replace(/^-+/, '')
      .slice(0, size - head.length)
  );
}

/** Framework names keep their dots: `marathon-0.7.5` is two labels. */
export function frameworkLabels(name: string): string {
  return name
    .split('.')
    .map(labelOf)
    .filter((label) => label !== '')
    .join('.');
}

const zBase32 = 'ybndrfg8ejkmcpqxot1uwisza345h769';
const hashCharacters = 5;

/** The first characters of z-base-32 of the SHA-1 of a task's id. */
export function taskHash(taskID: string): string {
  const digest = hash('sha1', taskID, 'buffer');
  let bits = digest.readUInt32BE(0);
  let text = '';
  for (let at = 0; at < hashCharacters; at++) {
    text += zBase32[bits >>> 27];
    bits <<= 5;
  }
  return text;
}

/** `S1` of an agent's id, in small letters. */
export function agentTail(agentID: string): string {
  return agentID.slice(agentID.lastIndexOf('-') + 1).toLowerCase();
}
