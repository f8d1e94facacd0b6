import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinKinds } from './all.ts';
import { cells } from './fixture.test.ts';

for (const kind of builtinKinds)
  test(`Cells of an empty ${kind.kind} of ${kind.group}/${kind.version} can be told`, () => {
    const told = Object.entries(cells(kind, {}));
    for (const [name, cell] of told)
      assert.ok(cell !== undefined && !Number.isNaN(cell), `column ${name} is ${String(cell)}`);
  });
