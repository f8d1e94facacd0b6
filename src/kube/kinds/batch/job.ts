import { declareKind } from '../declare.ts';
import type { Job } from '../types/batch-v1.ts';

export const jobs = declareKind<Job>('batch/v1/Job');
