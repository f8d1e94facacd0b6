const runesMax = 4096;
const runesCut = 256;

/** Collects Warning header texts: no doubles, bounded as a whole (AS/endpoints/filters/warning.go). */
export class Warnings {
  readonly #texts = new Set<string>();

  add(text: string): void {
    this.#texts.add(text);
  }

  get size(): number {
    return this.#texts.size;
  }

  headers(): readonly string[] {
    const texts = [...this.#texts].map((text) => clean(text));
    const total = texts.reduce((sum, text) => sum + text.length, 0);
    const out: string[] = [];
    let used = 0;
    for (const text of texts) {
      const cut = total > runesMax ? Array.from(text).slice(0, runesCut).join('') : text;
      used += cut.length;
      if (used > runesMax) break;
      out.push(`299 - "${cut.replaceAll(/["\\]/g, '\\$&')}"`);
    }
    return out;
  }
}

/** Headers are bytes: what is not printable ASCII is left out, as UTF-8 it is kept escaped by io. */
function clean(text: string): string {
  return Buffer.from(text.replaceAll(/\p{Cc}/gu, ''), 'utf8').toString('latin1');
}
