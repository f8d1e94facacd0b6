import type { Container } from '#node/runtime';

/** How a process ended, as wait(2) tells it. */
export type WaitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: number };

/** What strsignal(3) of glibc says; Mesos puts these words into its messages. */
const signalTexts: readonly string[] = [
  '',
  'Hangup',
  'Interrupt',
  'Quit',
  'Illegal instruction',
  'Trace/breakpoint trap',
  'Aborted',
  'Bus error',
  'Floating point exception',
  'Killed',
  'User defined signal 1',
  'Segmentation fault',
  'User defined signal 2',
  'Broken pipe',
  'Alarm clock',
  'Terminated',
  'Stack fault',
  'Child exited',
  'Continued',
  'Stopped (signal)',
  'Stopped',
  'Stopped (tty input)',
  'Stopped (tty output)',
  'Urgent I/O condition',
  'CPU time limit exceeded',
  'File size limit exceeded',
  'Virtual timer expired',
  'Profiling timer expired',
  'Window changed',
  'I/O possible',
  'Power failure',
  'Bad system call',
];

/** The runtime tells a signal as 128 + number, which is how shells and conmon write it. */
export function waitStatusOf(container: Container): WaitStatus {
  const code = container.exitCode ?? 255;
  const signal = container.exitSignal ?? (code > 128 && code <= 128 + 31 ? code - 128 : undefined);
  return signal === undefined ? { kind: 'exited', code } : { kind: 'signalled', signal };
}

export function succeeded(status: WaitStatus): boolean {
  return status.kind === 'exited' && status.code === 0;
}

/** "exited with status 1", "terminated with signal Killed" (stout, WSTRINGIFY). */
export function waitText(status: WaitStatus): string {
  if (status.kind === 'exited') return `exited with status ${status.code}`;
  return `terminated with signal ${signalTexts[status.signal] ?? `Unknown signal ${status.signal}`}`;
}

/** The number that wait(2) would have given: signal in the low bits, exit code above. */
export function waitNumber(status: WaitStatus): number {
  return status.kind === 'exited' ? status.code << 8 : status.signal;
}
