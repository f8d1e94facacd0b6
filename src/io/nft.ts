import { spawn } from 'node:child_process';

/** Runs one nft script as one transaction. Rejects with nft's own words when it is refused. */
export function runNft(script: string): Promise<void> {
  return runCommand(['nft', '-f', '-'], { input: script });
}

/** Runs a program to its end. Rejects with what it wrote to standard error when it fails. */
export function runCommand(
  command: readonly string[],
  options: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: options.timeoutMs ?? 20_000,
    });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < 16_384) complaint += chunk.toString();
    });
    child.once('error', (cause) => reject(new Error(`Cannot run ${program}`, { cause })));
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(new Error(`${command.join(' ')}: ${signal ?? `exit ${code}`}: ${complaint.trim()}`));
    });
    // A program that ends before it read its input is told by its exit code.
    child.stdin.on('error', (error) => {
      complaint += error.message;
    });
    child.stdin.end(options.input ?? '');
  });
}
