import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateContainerID, validateID, validateRole } from './names.ts';

const ids: readonly (readonly [string, string | undefined])[] = [
  ['a', undefined],
  ['a.b c', undefined],
  ['é'.repeat(127), undefined],
  ['', 'ID must not be empty'],
  ['a'.repeat(256), 'ID must not be greater than 255 characters'],
  ['é'.repeat(128), 'ID must not be greater than 255 characters'],
  ['.', "'.' is disallowed"],
  ['..', "'..' is disallowed"],
  ['a/b', "'a/b' contains invalid characters"],
  ['a\\b', "'a\\b' contains invalid characters"],
  ['a\nb', "'a\nb' contains invalid characters"],
  ['a\u007f', "'a\u007f' contains invalid characters"],
];
for (const [id, want] of ids) {
  test(`id ${JSON.stringify(id.slice(0, 10))} (${id.length}) is judged: ${want ?? 'fine'}`, () => {
    assert.equal(validateID(id), want);
  });
}

const roles: readonly (readonly [string, string | undefined])[] = [
  ['*', undefined],
  ['eng/dev', undefined],
  ['', 'Role names cannot be the empty string'],
  ['/a', "Role '/a' cannot start with a slash"],
  ['a/', "Role 'a/' cannot end with a slash"],
  ['a//b', "Role 'a//b' cannot contain two adjacent slashes"],
  ['a/./b', "Role 'a/./b' cannot include '.' as a component"],
  ['a/..', "Role 'a/..' cannot include '..' as a component"],
  ['a/*', "Role 'a/*' cannot include '*' as a component"],
  ['a/-b', "Role component '-b' is invalid because it starts with a dash"],
  ['a b', "Role component 'a b' is invalid because it contains backspace or whitespace"],
  ['a\u007f', "Role component 'a\u007f' is invalid because it contains backspace or whitespace"],
];
for (const [role, want] of roles) {
  test(`role ${JSON.stringify(role)} is judged: ${want ?? 'fine'}`, () => {
    assert.equal(validateRole(role), want);
  });
}

test('container ids are shorter than others, without dots and blanks, and so are their parents', () => {
  assert.equal(validateContainerID({ value: 'a', parent: { value: 'b' } }), undefined);
  assert.equal(validateContainerID({ value: '' }), 'ID must not be empty');
  assert.equal(
    validateContainerID({ value: 'a'.repeat(243) }),
    `'ContainerID.value' '${'a'.repeat(243)}' exceeds the maximum length (242)`,
  );
  assert.equal(
    validateContainerID({ value: 'a b' }),
    "'ContainerID.value' 'a b' contains invalid characters",
  );
  assert.equal(
    validateContainerID({ value: 'a', parent: { value: 'b.c' } }),
    "'ContainerID.parent' is invalid: 'ContainerID.value' 'b.c' contains invalid characters",
  );
});
