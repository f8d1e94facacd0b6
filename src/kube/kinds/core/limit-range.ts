import type { Draft } from '#machinery';
import { declareKind } from '../declare.ts';
import type { LimitRange, LimitRangeItem } from '../types/core-v1.ts';

export const limitRanges = declareKind<LimitRange>('v1/LimitRange', {
  defaults: ({ spec }) => {
    for (const item of spec.limits ?? []) if (item.type === 'Container') defaultItem(item);
  },
});

function defaultItem(item: Draft<LimitRangeItem>): void {
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
}
