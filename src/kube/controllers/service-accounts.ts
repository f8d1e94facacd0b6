import {
  configMaps as configMapKind,
  namespaces as namespaceKind,
  serviceAccounts as serviceAccountKind,
  type ConfigMap,
  type Namespace,
  type ServiceAccount,
} from '#kube/kinds';
import { isStatus } from '#machinery';
import { createLoop, type ControllerContext, type Runnable } from './context.ts';

/** Gives every living namespace its `default` service account. */
export function serviceAccountController(context: ControllerContext): Runnable {
  const namespaces = context.informers.of<Namespace>(namespaceKind);
  const accounts = context.informers.of<ServiceAccount>(serviceAccountKind);
  return createLoop(context, {
    name: 'serviceaccount-controller',
    needs: [namespaces, accounts],
    setup: (queue) => {
      namespaces.onChange(({ key }) => queue.add(key));
      accounts.onChange(({ object, old }) => {
        if (object === undefined && old?.metadata.name === 'default')
          queue.add(old.metadata.namespace ?? '');
      });
    },
    reconcile: async (namespace) => {
      if (
        !isLiving(namespaces.get(namespace)) ||
        accounts.get(`${namespace}/default`) !== undefined
      )
        return undefined;
      await createUnlessThere(() =>
        context.api.create<ServiceAccount>(serviceAccountKind, {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { namespace, name: 'default' },
        }),
      );
      return undefined;
    },
  });
}

const rootCaName = 'kube-root-ca.crt';
const rootCaDescription =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Puts the cluster's CA into every living namespace, where Pods mount it. */
export function rootCaController(context: ControllerContext, caPem: string): Runnable {
  const namespaces = context.informers.of<Namespace>(namespaceKind);
  const maps = context.informers.of<ConfigMap>(configMapKind);
  const annotations = { 'kubernetes.io/description': rootCaDescription };
  return createLoop(context, {
    name: 'root-ca-certificate-publisher-controller',
    needs: [namespaces, maps],
    setup: (queue) => {
      namespaces.onChange(({ key }) => queue.add(key));
      maps.onChange(({ object, old }) => {
        const map = object ?? old;
        if (map?.metadata.name === rootCaName) queue.add(map.metadata.namespace ?? '');
      });
    },
    reconcile: async (namespace) => {
      if (!isLiving(namespaces.get(namespace))) return undefined;
      const there = maps.get(`${namespace}/${rootCaName}`);
      const metadata = { namespace, name: rootCaName, annotations };
      const data = { 'ca.crt': caPem };
      if (there === undefined)
        await createUnlessThere(() =>
          context.api.create<ConfigMap>(configMapKind, {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata,
            data,
          }),
        );
      else if (
        there.data?.['ca.crt'] !== caPem ||
        Object.keys(there.data).length !== 1 ||
        there.metadata.annotations?.['kubernetes.io/description'] !== rootCaDescription
      )
        await context.api.update<ConfigMap>(configMapKind, {
          ...there,
          metadata: {
            ...there.metadata,
            annotations: { ...there.metadata.annotations, ...annotations },
          },
          data,
        });
      return undefined;
    },
  });
}

function isLiving(namespace: Namespace | undefined): boolean {
  return (
    namespace !== undefined &&
    namespace.metadata.deletionTimestamp === undefined &&
    namespace.status.phase !== 'Terminating'
  );
}

/** The namespace may go, or somebody else be quicker: both are fine. */
async function createUnlessThere(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    const fine =
      isStatus(error, 'AlreadyExists') ||
      isStatus(error, 'NotFound') ||
      (isStatus(error, 'Forbidden') &&
        error.details?.causes?.[0]?.reason === 'NamespaceTerminating');
    if (!fine) throw error;
  }
}
