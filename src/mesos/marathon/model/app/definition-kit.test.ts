import assert from 'node:assert/strict';
import { MarathonFailure } from '../problem.ts';
import { emptyRoot } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import type { DefinitionContext } from './definition.ts';

export const context: DefinitionContext = {
  root: emptyRoot('2020-01-01T00:00:00.000Z'),
  settings: { ...defaultSettings, defaultNetworkName: 'dcos' },
  forceRole: false,
};

export function failureOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert(error instanceof MarathonFailure, String(error));
    const { details } = error.body;
    const lines = Array.isArray(details)
      ? details.flatMap(({ path, errors }) => errors.map((text: string) => `${path} ${text}`))
      : [error.body.message];
    return `${error.status} ${lines.join('; ')}`;
  }
  return 'accepted';
}

export const base = { id: '/a', cmd: 'sleep 1' };
