import type { KubeObject } from '#machinery';

/** Writes Events about objects; equal ones within a while are counted up, floods are bounded. */
export interface EventRecorder {
  event(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    about: { reason: string; message: string; action?: string },
  ): void;
}
