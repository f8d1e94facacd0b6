import type { Problem } from './problem.ts';
import type { LinuxInfo } from './types.ts';

/** What is wrong with `linuxInfo` of a container; a pod as a whole may not name seccomp at all. */
export function linuxProblems(
  info: LinuxInfo | undefined,
  of: 'container' | 'pod' = 'container',
): Problem[] {
  const problems: Problem[] = [];
  const { seccomp, ipcInfo } = info ?? {};
  const tellSeccomp = (text: string): void => {
    problems.push({ path: '/linuxInfo/seccomp', text });
  };
  if (seccomp !== undefined && of === 'pod')
    tellSeccomp('Seccomp configuration on executor level is not supported');
  else if (seccomp !== undefined) {
    const named = seccomp.profileName !== undefined;
    if (named && seccomp.unconfined)
      tellSeccomp('Seccomp unconfined can NOT be true when Profile is defined');
    if (!named && !seccomp.unconfined)
      tellSeccomp('Seccomp unconfined must be true when Profile is NOT defined');
  }
  if (ipcInfo?.mode === 'SHARE_PARENT' && ipcInfo.shmSize !== undefined)
    problems.push({
      path: '/linuxInfo/ipcInfo',
      text: 'ipcInfo shmSize can NOT be set when mode is SHARE_PARENT',
    });
  return problems;
}
