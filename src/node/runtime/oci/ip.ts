import { spawn, type ChildProcess } from 'node:child_process';
import { toolEnvironment } from './command.ts';

/**
 * One long-lived `ip -batch -` in the agent's network namespace: a change of a link costs no process.
 * `ip` writes its output when it ends but its errors at once, so a line that must fail marks the end
 * of a batch: what was said before it belongs to the batch.
 */
export class IpBatch {
  readonly #prefix: readonly string[];
  #child: ChildProcess | undefined;
  #said = '';
  #turn = 0;
  readonly #waiting: { readonly mark: string; readonly done: (said: string) => void }[] = [];

  constructor(prefix: readonly string[]) {
    this.#prefix = prefix;
  }

  /** Runs the lines in order; throws with what `ip` said when one fails. */
  async run(lines: readonly string[]): Promise<void> {
    const said = await this.tell(lines);
    if (said !== '') throw new Error(`Cannot change the network (${lines.join('; ')}): ${said}`);
  }

  /** The same, giving back what went wrong. */
  tell(lines: readonly string[]): Promise<string> {
    const child = this.#child ?? this.#start();
    const mark = `tandem-mark-${this.#turn++}`;
    return new Promise((resolve) => {
      this.#waiting.push({ mark: `Device "${mark}" does not exist.`, done: resolve });
      child.stdin?.write(`${lines.join('\n')}\nlink show dev ${mark}\n`);
    });
  }

  close(): void {
    this.#child?.stdin?.end();
    this.#child = undefined;
  }

  #start(): ChildProcess {
    const [file, ...args] = [...this.#prefix, 'ip', '-force', '-batch', '-'];
    const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'pipe'], env: toolEnvironment });
    this.#child = child;
    const failed = (why: string): void => {
      if (this.#child === child) this.#child = undefined;
      for (const waiter of this.#waiting.splice(0)) waiter.done(`ip ended: ${why}`);
    };
    child.on('error', (cause) => failed(cause.message));
    child.on('exit', (code) => failed(`exit code ${code}`));
    child.stdin.on('error', (cause) => failed(cause.message));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      this.#said += text;
      this.#settle();
    });
    child.unref();
    return child;
  }

  #settle(): void {
    for (;;) {
      const waiter = this.#waiting[0];
      if (waiter === undefined) return;
      const at = this.#said.indexOf(waiter.mark);
      if (at < 0) return;
      const said = this.#said.slice(0, at).replaceAll(/^Command failed -:\d+\n/gm, '');
      this.#said = this.#said.slice(at + waiter.mark.length).trimStart();
      this.#waiting.shift();
      waiter.done(said.trim());
    }
  }
}
