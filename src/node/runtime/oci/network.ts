import { closeSync, openSync, writeFileSync } from 'node:fs';
import type { NetworkOptions } from '../options.ts';
import { run, tryRun } from './command.ts';
import { IpBatch } from './ip.ts';

export interface Attachment {
  /** Pin files, '' for a namespace shared with the host. */
  readonly netPin: string;
  readonly ipcPin: string;
  /** '' with a namespace of its own: nothing but loopback. */
  readonly ip: string;
  readonly veth: string;
}

/** Addresses of one IPv4 range as numbers: first usable, last usable. */
export interface Range {
  readonly first: number;
  readonly last: number;
  readonly bits: number;
}

export function rangeOf(cidr: string): Range {
  const [address = '', bitsText = ''] = cidr.split('/');
  const bits = Number(bitsText);
  if (!Number.isInteger(bits) || bits < 8 || bits > 30)
    throw new Error(`Cannot use pod range "${cidr}": it must be IPv4 with a prefix of 8 to 30`);
  const size = 2 ** (32 - bits);
  const base = Math.floor(numberOf(address) / size) * size;
  return { first: base + 1, last: base + size - 2, bits };
}
export function numberOf(ip: string): number {
  const parts = ip.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    throw new Error(`Cannot read "${ip}": it is not an IPv4 address`);
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
export function ipOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/**
 * The node's bridge and the addresses behind it. A Pod has its address as /32 with the bridge as
 * gateway, so that all its traffic, to neighbours too, passes the host's IP layer, where Services are
 * translated both ways without br_netfilter.
 */
export class Network {
  readonly #options: NetworkOptions;
  readonly #prefix: readonly string[];
  readonly #range: Range;
  readonly #gateway: string;
  readonly #ip: IpBatch;
  readonly #taken = new Set<number>();
  #next: number;

  constructor(options: NetworkOptions, prefix: readonly string[]) {
    this.#options = options;
    this.#prefix = prefix;
    this.#range = rangeOf(options.podCidr);
    this.#gateway = options.gateway ?? ipOf(this.#range.first);
    this.#taken.add(numberOf(this.#gateway));
    this.#next = this.#range.first;
    this.#ip = new IpBatch([]);
  }

  get gateway(): string {
    return this.#gateway;
  }

  async open(): Promise<void> {
    const { bridge, mtu } = this.#options;
    const had = await tryRun(['ip', 'link', 'show', 'dev', bridge]);
    if (had.code !== 0) await run(['ip', 'link', 'add', bridge, 'type', 'bridge']);
    await this.#ip.run([
      `link set dev ${bridge} mtu ${mtu} up`,
      `addr replace ${this.#gateway}/${this.#range.bits} dev ${bridge}`,
    ]);
    // What comes from Pods is passed on; the setting goes with the bridge, the host's own stays.
    const conf = `/proc/sys/net/ipv4/conf/${bridge}`;
    writeFileSync(`${conf}/forwarding`, '1');
    writeFileSync(`${conf}/send_redirects`, '0');
  }

  close(): void {
    this.#ip.close();
  }

  /** An address of a sandbox that was here before. Later ones start after the youngest. */
  adopt(ip: string): void {
    const number = numberOf(ip);
    this.#taken.add(number);
    this.#next = number + 1;
  }

  /** The next free address in a circle, so that one just given back rests. */
  lease(): string {
    const { first, last } = this.#range;
    for (let turn = first; turn <= last; turn++) {
      if (this.#next > last || this.#next < first) this.#next = first;
      const candidate = this.#next++;
      if (this.#taken.has(candidate)) continue;
      this.#taken.add(candidate);
      return ipOf(candidate);
    }
    throw new Error(`Cannot give an address: all of ${this.#options.podCidr} are taken`);
  }
  giveBack(ip: string): void {
    if (ip !== '') this.#taken.delete(numberOf(ip));
  }

  /** Makes and pins the namespaces and connects them: one process, and two lines to another. */
  async attach(to: Attachment): Promise<void> {
    const pins: string[] = [];
    for (const [kind, pin] of [
      ['net', to.netPin],
      ['ipc', to.ipcPin],
    ] as const) {
      if (pin === '') continue;
      closeSync(openSync(pin, 'w', 0o600));
      pins.push(`--${kind}=${pin}`);
    }
    if (pins.length === 0) return;
    if (to.netPin === '') {
      await run([...this.#prefix, 'unshare', ...pins, 'true']);
      return;
    }
    if (to.ip === '') {
      const input = 'link set lo up\n';
      await run([...this.#prefix, 'unshare', ...pins, 'ip', '-batch', '-'], { input });
      return;
    }
    const { mtu, bridge } = this.#options;
    const link = `mtu ${mtu} address ${macOf(to.ip)}`;
    const lines = [
      'link set lo up',
      `link add eth0 ${link} type veth peer name ${to.veth} mtu ${mtu} netns ${process.pid}`,
      `addr add ${to.ip}/32 dev eth0`,
      'link set eth0 up',
      `route add ${this.#gateway}/32 dev eth0 scope link src ${to.ip}`,
      `route add default via ${this.#gateway} dev eth0 src ${to.ip}`,
    ];
    await run([...this.#prefix, 'unshare', ...pins, 'ip', '-batch', '-'], {
      input: `${lines.join('\n')}\n`,
    });
    // Where br_netfilter is loaded, translated frames are bridged: a Pod reaches itself through its
    // own Service only when its port sends back.
    await this.#ip.run([
      `link set dev ${to.veth} master ${bridge} up`,
      `link set dev ${to.veth} type bridge_slave hairpin on`,
    ]);
  }

  /** Idempotent. The veth pair goes at once, not when the kernel gets round to the namespace. */
  async detach(from: Attachment): Promise<void> {
    if (from.veth !== '') await this.#ip.tell([`link del dev ${from.veth}`]);
    const pins = [from.netPin, from.ipcPin].filter((pin) => pin !== '');
    if (pins.length > 0)
      await tryRun([
        ...this.#prefix,
        'sh',
        '-c',
        'for pin; do umount "$pin"; rm -f "$pin"; done',
        'sh',
        ...pins,
      ]);
  }
}

/** Follows from the address, so neighbours' tables stay true when it is given again. */
function macOf(ip: string): string {
  const bytes = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `0a:58:${bytes.join(':')}`;
}
