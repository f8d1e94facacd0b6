/** Longer expressions are refused: they are matched against attributes on every offer. */
const patternLengthMax = 1024;

const compiled = new Map<string, RegExp | undefined>();
const compiledMax = 1000;

/**
 * A Java expression as one of JavaScript that matches whole strings; undefined when it is none. Flags
 * in front (`(?i)`) are understood.
 */
export function wholePattern(text: string): RegExp | undefined {
  if (compiled.has(text)) return compiled.get(text);
  if (compiled.size >= compiledMax) compiled.clear();
  const expression = compile(text);
  compiled.set(text, expression);
  return expression;
}

function compile(text: string): RegExp | undefined {
  if (text.length > patternLengthMax) return undefined;
  const flags = /^\(\?([ims]+)\)/.exec(text);
  const body = flags === null ? text : text.slice(flags[0].length);
  // Java's possessive quantifiers match less, but never in what attributes hold.
  const source = body.replaceAll(/([*+?}])\+/g, '$1');
  try {
    return new RegExp(`^(?:${source})$`, flags?.[1] ?? '');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
