import { declareKind } from '../declare.ts';
import type { Event } from '../types/events-v1.ts';

export const groupEvents = declareKind<Event>('events.k8s.io/v1/Event');
