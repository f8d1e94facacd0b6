/** Whether the text is a URI as RFC 2396 (and java.net.URI) has it: no spaces, brackets, bad escapes. */
export function isURI(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
  if (/[\x00-\x20"<>\\^`{|}\x7f]/.test(text)) return false;
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return false;
  if (text.split('#').length > 2) return false;
  if (text === '' || text.startsWith(':')) return false;
  const colon = text.indexOf(':');
  const slash = text.search(/[/?#]/);
  if (colon < 0 || (slash >= 0 && slash < colon)) return true;
  return /^[a-zA-Z][a-zA-Z0-9+.-]*$/.test(text.slice(0, colon)) && colon < text.length - 1;
}
