import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaceRequest, Logger } from '#base';
import { loaded, once } from './mesos.ts';

test('loaded() answers 500 while a face cannot be made, and tries again', async () => {
  let fails = true;
  const face = loaded(
    silent,
    once(async () => {
      if (fails) throw new Error('No such module');
      return async () => ({ status: 200, headers: {} });
    }),
  );
  const request = {} as FaceRequest;
  const { status, body } = await face(request);
  assert.equal(status, 500);
  assert.equal(String(body), '500 Internal Server Error.');
  fails = false;
  assert.equal((await face(request)).status, 200);
});

const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silent,
};
