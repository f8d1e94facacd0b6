import { declareKind } from '../declare.ts';
import type { Event } from '../types/core-v1.ts';

export const events = declareKind<Event>('v1/Event');
