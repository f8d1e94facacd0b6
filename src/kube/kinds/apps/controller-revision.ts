import { declareKind } from '../declare.ts';
import type { ControllerRevision } from '../types/apps-v1.ts';

export const controllerRevisions = declareKind<ControllerRevision>('apps/v1/ControllerRevision');
