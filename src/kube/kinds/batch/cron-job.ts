import { declareKind } from '../declare.ts';
import type { CronJob } from '../types/batch-v1.ts';

export const cronJobs = declareKind<CronJob>('batch/v1/CronJob');
