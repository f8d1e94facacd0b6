import type { FaceReply, FaceRequest } from '#base';
import type { Pod } from '#kube/kinds';
import type { Container } from '#node/runtime';
import type { KubeletOptions } from './options.ts';
import { labels } from './pod-view.ts';

export interface FaceContext {
  readonly options: KubeletOptions;
  pods(): readonly Pod[];
}
/** One call, with what its path names. */
export interface FaceCall {
  readonly context: FaceContext;
  readonly request: FaceRequest;
  readonly query: URLSearchParams;
  readonly pod: Pod;
  readonly container: string;
}

/** Containers of a Pod by name, newest first. */
export function containersOf(context: FaceContext, pod: Pod, name: string): readonly Container[] {
  return context.options.runtime
    .containers()
    .filter(({ spec }) => spec.name === name && spec.labels[labels.uid] === pod.metadata.uid)
    .toSorted((a, b) => b.spec.attempt - a.spec.attempt || b.createdMs - a.createdMs);
}

export function text(status: number, message: string): FaceReply {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return { status, headers, body: Buffer.from(`${message}\n`) };
}

export function json(value: unknown): FaceReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  };
}
