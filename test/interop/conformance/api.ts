import { operationCases } from './api-operations.ts';
import { restCases } from './api-rest.ts';
export const apiCases = [...operationCases, ...restCases];
