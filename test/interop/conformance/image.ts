/** Small images for the cases, built from the machine's static busybox. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { output } from '../../cluster/cluster.ts';

const applets =
  'sh cat chmod cp cut date dd df echo env false grep head hostname httpd id ip kill ln ls mkdir mount mv nc nslookup ping printf ps rm sed seq sleep sort stat su sync tail test timeout touch tr true umount wc wget';

/** Files to load: docker archives of `conformance/busybox:1`, `:2`, and `conformance/entry:1`. */
export async function buildImages(folder: string): Promise<readonly string[]> {
  const root = join(folder, 'root');
  for (const path of ['bin', 'etc', 'proc', 'dev', 'sys', 'tmp', 'usr', 'www/cgi-bin', 'node'])
    mkdirSync(join(root, path), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  copyFileSync('/usr/bin/busybox', join(root, 'bin/busybox'));
  for (const applet of applets.split(' ')) symlinkSync('busybox', join(root, 'bin', applet));
  // A host's /usr may be mounted, for programs that are linked against its libraries.
  symlinkSync('usr/lib', join(root, 'lib'));
  symlinkSync('usr/lib64', join(root, 'lib64'));
  const file = (path: string, text: string, mode = 0o644): void => {
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  };
  file('etc/passwd', 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n');
  file('etc/group', 'root:x:0:\nnogroup:x:65534:\n');
  file('bin/entry', '#!/bin/sh\necho "entry $*"\n', 0o755);
  file('bin/entry-2', '#!/bin/sh\necho "other $*"\n', 0o755);
  file('www/index.html', 'index\n');
  file(
    'www/cgi-bin/hostname',
    '#!/bin/sh\nprintf "content-type: text/plain\\r\\n\\r\\n"\nhostname\n',
    0o755,
  );
  file(
    'www/cgi-bin/client',
    '#!/bin/sh\nprintf "content-type: text/plain\\r\\n\\r\\n"\necho "$REMOTE_ADDR"\n',
    0o755,
  );
  file(
    'www/cgi-bin/request',
    '#!/bin/sh\nprintf "content-type: text/plain\\r\\n\\r\\n"\necho "$REQUEST_METHOD $REQUEST_URI $QUERY_STRING"\n',
    0o755,
  );
  const layer = join(folder, 'layer.tar');
  await output('tar', '-C', root, '--sort=name', '--owner=0', '--group=0', '-cf', layer, '.');
  const diffId = createHash('sha256').update(readFileSync(layer)).digest('hex');
  const plain = { Env: ['PATH=/bin'], Cmd: ['/bin/sh'] };
  return Promise.all([
    pack(folder, { tag: 'conformance/busybox:1', diffId, config: plain }),
    pack(folder, {
      tag: 'conformance/busybox:2',
      diffId,
      config: { ...plain, Labels: { v: '2' } },
    }),
    pack(folder, {
      tag: 'conformance/entry:1',
      diffId,
      config: { Env: ['PATH=/bin'], Entrypoint: ['/bin/entry', 'default'], Cmd: ['arguments'] },
    }),
  ]);
}

interface Packed {
  readonly tag: string;
  readonly diffId: string;
  readonly config: object;
}

async function pack(folder: string, { tag, diffId, config }: Packed): Promise<string> {
  const name = tag.replace(/[/:]/g, '-');
  const work = join(folder, name);
  mkdirSync(work);
  symlinkSync('../layer.tar', join(work, 'layer.tar'));
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  writeFileSync(
    join(work, 'config.json'),
    JSON.stringify({
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    }),
  );
  writeFileSync(
    join(work, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [tag], Layers: ['layer.tar'] }]),
  );
  const archive = join(folder, `${name}.tar`);
  await output('tar', '-C', work, '-hcf', archive, 'config.json', 'manifest.json', 'layer.tar');
  return archive;
}
