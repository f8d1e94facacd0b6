import type { HorizontalPodAutoscaler as V1 } from '../types/autoscaling-v1.ts';
import type { HorizontalPodAutoscaler as V2, MetricSpec } from '../types/autoscaling-v2.ts';

/** Where v1 carries what it has no field for. */
const carried = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
} as const;

function isCpu(metric: MetricSpec): boolean {
  return metric.resource?.name === 'cpu' && metric.resource.target.averageUtilization !== undefined;
}

export function toV2(object: V1): V2 {
  const annotations = { ...object.metadata.annotations };
  const read = (name: keyof typeof carried): unknown => {
    const text = annotations[carried[name]];
    delete annotations[carried[name]];
    return text === undefined ? undefined : parsed(text);
  };
  const others = read('metrics');
  const behavior = read('behavior');
  const currentMetrics = read('currentMetrics');
  const conditions = read('conditions');
  const { targetCPUUtilizationPercentage: cpu, ...spec } = object.spec;
  const { currentCPUUtilizationPercentage: _current, ...status } = object.status;
  const metrics: MetricSpec[] = Array.isArray(others) ? (others as MetricSpec[]) : [];
  const target = { type: 'Utilization', averageUtilization: cpu ?? 80 };
  if (cpu !== undefined || metrics.length === 0)
    metrics.push({ type: 'Resource', resource: { name: 'cpu', target } });
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object.metadata, annotations),
    // What annotations carry was written by `fromV2`; anything else in them is dropped by the codec.
    spec: { ...spec, metrics, ...(behavior !== undefined && { behavior: behavior as object }) },
    status: {
      ...status,
      currentMetrics: Array.isArray(currentMetrics) ? currentMetrics : null,
      ...(Array.isArray(conditions) && { conditions }),
    } as V2['status'],
  };
}

export function fromV2(object: V2): V1 {
  const { metrics = [], behavior, ...spec } = object.spec;
  const { currentMetrics, conditions, ...status } = object.status;
  const cpu = metrics.find(isCpu);
  const others = metrics.filter((metric) => metric !== cpu);
  const annotations = { ...object.metadata.annotations };
  const write = (name: keyof typeof carried, value: unknown): void => {
    annotations[carried[name]] = JSON.stringify(value);
  };
  if (others.length > 0) write('metrics', others);
  if (behavior !== undefined) write('behavior', behavior);
  if ((currentMetrics ?? []).length > 0) write('currentMetrics', currentMetrics);
  if ((conditions ?? []).length > 0) write('conditions', conditions);
  const percentage = cpu?.resource?.target.averageUtilization;
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object.metadata, annotations),
    spec: {
      ...spec,
      ...(percentage !== undefined && { targetCPUUtilizationPercentage: percentage }),
    },
    status: { ...status, currentReplicas: status.currentReplicas ?? 0 },
  };
}

function withAnnotations<M extends V1['metadata']>(
  metadata: M,
  annotations: Record<string, string>,
): M {
  if (Object.keys(annotations).length > 0) return { ...metadata, annotations };
  const { annotations: _none, ...rest } = metadata;
  return rest as M;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The reference drops what does not parse, silently.
    return undefined;
  }
}
