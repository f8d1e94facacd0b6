/** Volumes: what is in them, with which modes and owners, and how they follow their sources. */
import assert from 'node:assert/strict';
import { eventually, forever, list, podOf, type Case, type Space, type World } from './kit.ts';

const storage = '[sig-storage] ';

/** Kinds of volume that show keys as files; each is also a source of a projected volume. */
interface Source {
  readonly title: string;
  readonly plural: 'configmaps' | 'secrets';
  /** Names of the reference's tests begin with this. */
  readonly prefix: string;
  readonly volume: (name: string, more?: object) => object;
  readonly fsGroup: boolean;
}
const sources: readonly Source[] = [
  {
    title: 'A ConfigMap volume',
    plural: 'configmaps',
    prefix: `${storage}ConfigMap`,
    volume: (name, more) => ({ configMap: { name, ...more } }),
    fsGroup: false,
  },
  {
    title: 'A Secret volume',
    plural: 'secrets',
    prefix: `${storage}Secrets`,
    volume: (secretName, more) => ({ secret: { secretName, ...more } }),
    fsGroup: true,
  },
  {
    title: 'A projected ConfigMap',
    plural: 'configmaps',
    prefix: `${storage}Projected configMap`,
    volume: (name, more) => projected('configMap', name, more),
    fsGroup: false,
  },
  {
    title: 'A projected Secret',
    plural: 'secrets',
    prefix: `${storage}Projected secret`,
    volume: (name, more) => projected('secret', name, more),
    fsGroup: true,
  },
];

function projected(kind: string, name: string, more: object = {}): object {
  const { defaultMode, ...rest } = more as { readonly defaultMode?: number };
  return {
    projected: {
      ...(defaultMode === undefined ? {} : { defaultMode }),
      sources: [{ [kind]: { name, ...rest } }],
    },
  };
}

const mount = (name: string, mountPath = `/etc/${name}`): object => ({ name, mountPath });
const look = (path: string): string => `cat ${path}; stat -L -c '%a %u %g' ${path}`;

async function fill(space: Space, { plural }: Source, name = 'source'): Promise<void> {
  const data = { 'data-1': 'value-1', 'data-2': 'value-2\n', 'data-3': 'value-3' };
  const field = plural === 'secrets' ? { stringData: data } : { data };
  await space.world.post(`${space.core}/${plural}`, { metadata: { name }, ...field });
}

function readsKeys(source: Source): Case {
  const { prefix, fsGroup } = source;
  const inVolume = `${prefix} should be consumable from pods in volume`;
  return {
    name: `${source.title} shows keys as files with the modes, paths and owners that were asked for`,
    covers: [
      `${inVolume} [NodeConformance]`,
      `${inVolume} with defaultMode set [LinuxOnly] [NodeConformance]`,
      `${inVolume} with mappings [NodeConformance]`,
      `${inVolume} with mappings and Item ${prefix.includes('Projected secret') || prefix.includes('Secrets') ? 'Mode' : 'mode'} set [LinuxOnly] [NodeConformance]`,
      `${prefix} should be consumable in multiple volumes in ${fsGroup ? 'a pod' : 'the same pod'} [NodeConformance]`,
      ...(fsGroup
        ? [`${inVolume} as non-root with defaultMode and fsGroup set [LinuxOnly] [NodeConformance]`]
        : [
            `${inVolume} as non-root [NodeConformance]`,
            `${inVolume} with mappings as non-root [NodeConformance]`,
          ]),
    ],
    run: async (world) => {
      const space = await world.namespace('keys');
      await fill(space, source);
      const items = [{ key: 'data-2', path: 'path/to/data-2' }];
      const withMode = [{ key: 'data-2', path: 'path/to/data-2', mode: 0o400 }];
      const volumes = [
        { name: 'plain', ...source.volume('source') },
        { name: 'again', ...source.volume('source') },
        { name: 'mode', ...source.volume('source', { defaultMode: 0o400 }) },
        { name: 'mapped', ...source.volume('source', { items }) },
        { name: 'item', ...source.volume('source', { items: withMode }) },
      ];
      const volumeMounts = volumes.map(({ name }) => mount(name));
      const script = [
        look('/etc/plain/data-1'),
        look('/etc/again/data-1'),
        look('/etc/mode/data-1'),
        look('/etc/mapped/path/to/data-2'),
        look('/etc/item/path/to/data-2'),
        'ls /etc/mapped',
      ].join('; ');
      const user = { runAsUser: 1000, ...(fsGroup ? { fsGroup: 1001 } : {}) };
      const owned = { name: 'owned', ...source.volume('source', { defaultMode: 0o440 }) };
      const [root, other] = await Promise.all([
        space.runs('root', script, { spec: { volumes }, container: { volumeMounts } }),
        space.runs(
          'other',
          `id; ${look('/etc/plain/data-1')}; ${look('/etc/mapped/path/to/data-2')}; ${look('/etc/owned/data-1')}`,
          {
            spec: { volumes: [...volumes, owned], securityContext: user },
            container: { volumeMounts: [...volumeMounts, mount('owned')] },
          },
        ),
      ]);
      assert.equal(
        root.log,
        [
          'value-1644 0 0',
          'value-1644 0 0',
          'value-1400 0 0',
          'value-2',
          '644 0 0',
          'value-2',
          '400 0 0',
          'path',
          '',
        ].join('\n'),
      );
      assert.match(other.log, /value-1644 0/);
      assert.match(other.log, /value-2\n644 0/);
      if (fsGroup) assert.match(other.log, /value-1440 0 1001/);
    },
  };
}

function follows(source: Source): Case {
  const { prefix, plural } = source;
  const isMap = plural === 'configmaps';
  return {
    name: `${source.title} follows its source: updated, deleted, created later when optional`,
    covers: [
      `${prefix} optional updates should be reflected in volume [NodeConformance]`,
      ...(isMap ? [`${prefix} updates should be reflected in volume [NodeConformance]`] : []),
    ],
    run: async (world) => {
      const space = await world.namespace('follow');
      const path = `${space.core}/${plural}`;
      await fill(space, source, 'update');
      await fill(space, source, 'delete');
      const volumes = ['update', 'delete', 'create'].map((name) => ({
        name,
        ...source.volume(name, { optional: true }),
      }));
      await space.stays('p', forever, {
        spec: { volumes },
        container: { volumeMounts: volumes.map(({ name }) => mount(name)) },
      });
      const show = (file: string): Promise<string> =>
        space.exec('p', 'sh', '-c', `cat /etc/${file} 2>/dev/null || echo absent`);
      assert.equal(await show('update/data-1'), 'value-1');
      assert.equal(await show('create/data-1'), 'absent\n');
      const changed = isMap ? { data: { 'data-1': 'new' } } : { stringData: { 'data-1': 'new' } };
      await world.patch(`${path}/update`, changed);
      await world.delete(`${path}/delete`);
      await fill(space, source, 'create');
      await eventually(
        'all three are as their sources',
        async () =>
          (await show('update/data-1')) === 'new' &&
          (await show('delete/data-1')) === 'absent\n' &&
          (await show('create/data-1')) === 'value-1',
        75,
      );
    },
  };
}

const downward = [
  {
    title: 'A downward volume',
    prefix: `${storage}Downward API volume`,
    volume: (items: readonly object[], defaultMode?: number): object => ({
      downwardAPI: { items, ...(defaultMode === undefined ? {} : { defaultMode }) },
    }),
  },
  {
    title: 'A projected downward volume',
    prefix: `${storage}Projected downwardAPI`,
    volume: (items: readonly object[], defaultMode?: number): object => ({
      projected: {
        sources: [{ downwardAPI: { items } }],
        ...(defaultMode === undefined ? {} : { defaultMode }),
      },
    }),
  },
];
const field = (path: string, fieldPath: string, more: object = {}): object => ({
  path,
  fieldRef: { fieldPath },
  ...more,
});
const amount = (path: string, resource: string): object => ({
  path,
  resourceFieldRef: { containerName: 'main', resource },
});

function describesPod({ title, prefix, volume }: (typeof downward)[number]): Case {
  const linux = '[LinuxOnly] [NodeConformance]';
  return {
    name: `${title} tells a Pod's name, resources, labels and annotations, and follows these`,
    covers: [
      `${prefix} should provide podname only [NodeConformance]`,
      `${prefix} should set DefaultMode on files ${linux}`,
      `${prefix} should set mode on item file ${linux}`,
      `${prefix} should update labels on modification [NodeConformance]`,
      `${prefix} should update annotations on modification [NodeConformance]`,
      `${prefix} should provide container's cpu limit [NodeConformance]`,
      `${prefix} should provide container's cpu request [NodeConformance]`,
      `${prefix} should provide container's memory limit [NodeConformance]`,
      `${prefix} should provide container's memory request [NodeConformance]`,
      `${prefix} should provide node allocatable (cpu) as default cpu limit if the limit is not set [NodeConformance]`,
      `${prefix} should provide node allocatable (memory) as default memory limit if the limit is not set [NodeConformance]`,
    ],
    run: async (world) => {
      const space = await world.namespace('info');
      const amounts = [
        amount('cpu_limit', 'limits.cpu'),
        amount('memory_limit', 'limits.memory'),
        amount('cpu_request', 'requests.cpu'),
        amount('memory_request', 'requests.memory'),
      ];
      const items = [
        field('podname', 'metadata.name', { mode: 0o400 }),
        field('labels', 'metadata.labels'),
        field('annotations', 'metadata.annotations'),
        ...amounts,
      ];
      await space.create(
        podOf('told', forever, {
          metadata: { labels: { key1: 'value1' }, annotations: { builder: 'bar' } },
          spec: { volumes: [{ name: 'info', ...volume(items, 0o440) }] },
          container: {
            volumeMounts: [mount('info')],
            resources: {
              requests: { cpu: '250m', memory: '32Mi' },
              limits: { cpu: '1250m', memory: '64Mi' },
            },
          },
        }),
      );
      const open = await space.runs(
        'open',
        'cat /etc/info/cpu_limit; echo; cat /etc/info/memory_limit',
        {
          spec: { volumes: [{ name: 'info', ...volume(amounts) }] },
          container: { volumeMounts: [mount('info')] },
        },
      );
      const on = await world.get(`/api/v1/nodes/${open.pod.spec?.nodeName}`);
      const memory = Number(String(on.status?.allocatable?.memory).replace('Ki', '')) * 1024;
      assert.equal(open.log, `${on.status?.allocatable?.cpu}\n${memory}`);
      await space.ready('told');
      const show = (file: string): Promise<string> =>
        space.exec('told', 'cat', `/etc/info/${file}`);
      assert.equal(await show('podname'), 'told');
      assert.equal(await show('cpu_limit'), '2');
      assert.equal(await show('cpu_request'), '1');
      assert.equal(await show('memory_limit'), '67108864');
      assert.equal(await show('memory_request'), '33554432');
      assert.match(await show('labels'), /key1="value1"/);
      const modes = await space.exec(
        'told',
        'stat',
        '-L',
        '-c',
        '%a',
        '/etc/info/podname',
        '/etc/info/labels',
      );
      assert.equal(modes, '400\n440\n');
      await world.patch(space.pod('told'), {
        metadata: { labels: { key3: 'value3' }, annotations: { builder: 'foo' } },
      });
      await eventually(
        'labels and annotations are the new ones',
        async () =>
          /key3="value3"/.test(await show('labels')) &&
          /builder="foo"/.test(await show('annotations')),
        75,
      );
    },
  };
}

export const volumeCases: readonly Case[] = [
  ...sources.map(readsKeys),
  ...sources.map(follows),
  ...downward.map(describesPod),
  {
    name: 'Binary data of a ConfigMap is in the volume byte by byte',
    covers: [`${storage}ConfigMap binary data should be reflected in volume [NodeConformance]`],
    run: async (world) => {
      const space = await world.namespace('binary');
      const bytes = Buffer.from([0xde, 0xca, 0xfe, 0xba, 0xd0, 0xfe, 0xff]);
      await world.post(`${space.core}/configmaps`, {
        metadata: { name: 'm' },
        data: { 'data-1': 'value-1' },
        binaryData: { 'dump.bin': bytes.toString('base64') },
      });
      const { log } = await space.runs('p', 'cat /etc/m/data-1; od -An -tx1 /etc/m/dump.bin', {
        spec: { volumes: [{ name: 'm', configMap: { name: 'm' } }] },
        container: {
          volumeMounts: [mount('m')],
          command: [
            '/bin/busybox',
            'sh',
            '-c',
            'cat /etc/m/data-1; busybox od -An -tx1 /etc/m/dump.bin',
          ],
        },
      });
      assert.equal(log.replace(/\s+/g, ' '), 'value-1 de ca fe ba d0 fe ff ');
    },
  },
  {
    name: 'A Secret of the same name in another namespace is not mixed up',
    covers: [
      `${storage}Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace [NodeConformance]`,
    ],
    run: async (world) => {
      const [one, two] = await Promise.all([world.namespace('one'), world.namespace('two')]);
      for (const [space, value] of [
        [one, 'mine'],
        [two, 'theirs'],
      ] as const)
        await world.post(`${space.core}/secrets`, {
          metadata: { name: 's' },
          stringData: { key: value },
        });
      const { log } = await one.runs('p', 'cat /etc/s/key', {
        spec: { volumes: [{ name: 's', secret: { secretName: 's' } }] },
        container: { volumeMounts: [mount('s')] },
      });
      assert.equal(log, 'mine');
    },
  },
  {
    name: 'One projected volume joins a ConfigMap, a Secret and facts of the Pod',
    covers: [
      `${storage}Projected combined should project all components that make up the projection API [Projection] [NodeConformance]`,
    ],
    run: async (world) => {
      const space = await world.namespace('all');
      await world.post(`${space.core}/configmaps`, {
        metadata: { name: 'm' },
        data: { 'configmap-data': 'config' },
      });
      await world.post(`${space.core}/secrets`, {
        metadata: { name: 's' },
        stringData: { 'secret-data': 'secret' },
      });
      const volume = {
        name: 'all',
        projected: {
          sources: [
            { configMap: { name: 'm' } },
            { secret: { name: 's', items: [{ key: 'secret-data', path: 'inner/secret-data' }] } },
            { downwardAPI: { items: [field('podname', 'metadata.name')] } },
          ],
        },
      };
      const { log } = await space.runs(
        'p',
        'cd /etc/all; cat configmap-data inner/secret-data podname',
        {
          spec: { volumes: [volume] },
          container: { volumeMounts: [mount('all')] },
        },
      );
      assert.equal(log, 'configsecretp');
    },
  },
  {
    name: 'An empty directory takes files of any mode from any user, on disk and in memory',
    covers: [
      ...['root', 'non-root'].flatMap((user) =>
        ['0644', '0666', '0777'].flatMap((mode) =>
          ['default', 'tmpfs'].map(
            (medium) =>
              `${storage}EmptyDir volumes should support (${user},${mode},${medium}) [LinuxOnly] [NodeConformance]`,
          ),
        ),
      ),
      `${storage}EmptyDir volumes volume on default medium should have the correct mode [LinuxOnly] [NodeConformance]`,
      `${storage}EmptyDir volumes volume on tmpfs should have the correct mode [LinuxOnly] [NodeConformance]`,
      `${storage}EmptyDir volumes pod should support shared volumes between containers [NodeConformance]`,
      `${storage}EmptyDir volumes pod should support shared volumes between containers`,
    ],
    run: emptyDirs,
  },
  {
    name: 'Volumes of several kinds sit side by side in one Pod, fifty at once too',
    covers: [
      `${storage}EmptyDir wrapper volumes should not conflict`,
      `${storage}EmptyDir wrapper volumes should not cause race condition when used for configmaps [Serial]`,
    ],
    run: async (world) => {
      const space = await world.namespace('wrapper');
      await world.post(`${space.core}/secrets`, {
        metadata: { name: 's' },
        stringData: { k: 's' },
      });
      const numbers = Array.from({ length: 50 }, (_, at) => `m-${at}`);
      await Promise.all(
        numbers.map((name) =>
          world.post(`${space.core}/configmaps`, { metadata: { name }, data: { k: name } }),
        ),
      );
      const volumes = [
        { name: 's', secret: { secretName: 's' } },
        { name: 'e', emptyDir: {} },
        ...numbers.map((name) => ({ name, configMap: { name } })),
      ];
      const pods = await Promise.all(
        ['p', 'q'].map((name) =>
          space.runs(name, 'cat /etc/s/k; cat /etc/m-*/k | wc -c', {
            spec: { volumes },
            container: { volumeMounts: volumes.map(({ name: volume }) => mount(volume)) },
          }),
        ),
      );
      for (const { log } of pods) assert.equal(log, `s${numbers.join('').length}\n`);
    },
  },
  ...['configmap', 'secret', 'downward', 'projected'].map(subPath),
  {
    name: 'A sub path may lie on a file that the image has',
    covers: [
      `${storage}Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file`,
    ],
    run: async (world) => {
      const space = await world.namespace('existing');
      await world.post(`${space.core}/configmaps`, {
        metadata: { name: 'm' },
        data: { k: 'mine' },
      });
      const { log } = await space.runs('p', 'cat /etc/group; ls /etc/passwd', {
        spec: { volumes: [{ name: 'm', configMap: { name: 'm' } }] },
        container: { volumeMounts: [{ name: 'm', mountPath: '/etc/group', subPath: 'k' }] },
      });
      assert.equal(log, 'mine/etc/passwd\n');
    },
  },
  {
    name: 'A sub path is made from variables; bad ones are refused; a failing one can be mended',
    covers: [
      '[sig-node] Variable Expansion should allow substituting values in a volume subpath',
      '[sig-node] Variable Expansion should fail substituting values in a volume subpath with backticks',
      '[sig-node] Variable Expansion should fail substituting values in a volume subpath with absolute path',
      '[sig-node] Variable Expansion should succeed in writing subpaths in container',
      '[sig-node] Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a container [Slow]',
    ],
    run: expandsSubPaths,
  },
  {
    name: 'A directory of the host is seen and written from a Pod',
    covers: [],
    run: async (world) => {
      const space = await world.namespace('host');
      const path = `/tmp/tandem-conformance-${space.name}`;
      const spec = {
        volumes: [{ name: 'h', hostPath: { path, type: 'DirectoryOrCreate' } }],
        nodeName: undefined,
      };
      const container = { volumeMounts: [mount('h', '/h')] };
      await space.runs('w', 'echo -n kept > /h/file', { spec, container });
      const { log } = await space.runs('r', 'cat /h/file; rm /h/file; rmdir /h 2>/dev/null; true', {
        spec,
        container,
      });
      assert.equal(log, 'kept');
      const { rmdirSync } = await import('node:fs');
      rmdirSync(path);
    },
  },
];

async function emptyDirs(world: World): Promise<void> {
  const space = await world.namespace('empty');
  const volumes = [
    { name: 'default', emptyDir: {} },
    { name: 'tmpfs', emptyDir: { medium: 'Memory' } },
  ];
  const volumeMounts = volumes.map(({ name }) => mount(name, `/${name}`));
  const script = [
    'for m in default tmpfs; do stat -c %a /$m',
    'for f in 644 666 777; do echo -n x > /$m/$f; chmod $f /$m/$f; stat -c "%a %u" /$m/$f; cat /$m/$f; done',
    'grep -c " /$m tmpfs" /proc/mounts; done',
  ].join('; ');
  for (const uid of [0, 1001]) {
    const { log, code } = await space.runs(`u-${uid}`, `${script}; true`, {
      spec: { volumes, securityContext: { runAsUser: uid } },
      container: { volumeMounts },
    });
    assert.equal(code, 0, log);
    const one = (tmpfs: number): string => `777\n644 ${uid}\nx666 ${uid}\nx777 ${uid}\nx${tmpfs}\n`;
    assert.equal(log, one(0) + one(1));
  }
  const shared = await space.runs(
    'shared',
    'until [ -s /default/file ]; do sleep 0.1; done; cat /default/file',
    {
      spec: {
        volumes,
        initContainers: [],
        containers: [
          {
            name: 'main',
            image: 'conformance/busybox:1',
            command: [
              '/bin/sh',
              '-c',
              'until [ -s /default/file ]; do sleep 0.1; done; cat /default/file',
            ],
            volumeMounts,
          },
          {
            name: 'other',
            image: 'conformance/busybox:1',
            command: [
              '/bin/sh',
              '-c',
              'echo -n from the other > /default/new; mv /default/new /default/file',
            ],
            volumeMounts,
          },
        ],
      },
    },
  );
  assert.equal(shared.pod.status?.phase, 'Succeeded');
  assert.equal(await space.log('shared', '?container=main'), 'from the other');
}

function subPath(kind: string): Case {
  return {
    name: `A sub path of a ${kind} volume is the file that it names`,
    covers: [`${storage}Subpath Atomic writer volumes should support subpaths with ${kind} pod`],
    run: async (world) => {
      const space = await world.namespace('subpath');
      const data = { 'sub-file': 'sub-content' };
      await world.post(`${space.core}/configmaps`, { metadata: { name: 'm' }, data });
      await world.post(`${space.core}/secrets`, { metadata: { name: 'm' }, stringData: data });
      const items = [field('sub-file', "metadata.labels['content']")];
      const volume = {
        configmap: { configMap: { name: 'm' } },
        secret: { secret: { secretName: 'm' } },
        downward: { downwardAPI: { items } },
        projected: { projected: { sources: [{ configMap: { name: 'm' } }] } },
      }[kind];
      const { log } = await space.runs('p', 'cat /own/file; ls /own', {
        metadata: { labels: { content: 'sub-content' } },
        spec: { volumes: [{ name: 'v', ...volume }] },
        container: { volumeMounts: [{ name: 'v', mountPath: '/own/file', subPath: 'sub-file' }] },
      });
      assert.equal(log, 'sub-contentfile\n');
    },
  };
}

async function expandsSubPaths(world: World): Promise<void> {
  const space = await world.namespace('expr');
  const volumes = [{ name: 'v', emptyDir: {} }];
  const env = [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'ANNOTATION', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['path']" } } },
  ];
  const at = (subPathExpr: string): object[] => [
    { name: 'v', mountPath: '/sub', subPathExpr },
    { name: 'v', mountPath: '/whole' },
  ];
  const { log } = await space.runs('fine', 'echo -n seen > /sub/file; cat /whole/in/fine/file', {
    spec: { volumes },
    container: { env, volumeMounts: at('in/$(POD_NAME)') },
  });
  assert.equal(log, 'seen');
  const bad = { backticks: '..', absolute: '/tmp' };
  for (const [name, path] of Object.entries({ ...bad, mended: '/tmp' })) {
    await space.create(
      podOf(name, forever, {
        metadata: { annotations: { path } },
        spec: { volumes },
        container: { env, volumeMounts: at('$(ANNOTATION)/$(POD_NAME)') },
      }),
    );
  }
  for (const name of [...Object.keys(bad), 'mended'])
    await world.when(space.pod(name), (it) => {
      const waiting = list(it?.status?.containerStatuses)[0]?.state?.waiting;
      return String(waiting?.reason) === 'CreateContainerConfigError';
    });
  await world.patch(space.pod('mended'), { metadata: { annotations: { path: 'mypath' } } });
  await space.ready('mended', 60);
  await space.exec('mended', 'touch', '/sub/file');
  assert.equal(await space.exec('mended', 'ls', '/whole/mypath/mended'), 'file\n');
}
