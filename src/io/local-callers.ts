import type { FaceRequest, Peer } from '#base';

export interface LocalCallersOptions {
  /** User ids that need no credentials; empty where everybody needs them. */
  readonly owners: ReadonlySet<number>;
  /** Names and addresses under which one may be asked without credentials. */
  readonly hosts: ReadonlySet<string>;
  /** User id at the other end of a connection within this machine. */
  socketOwner(peer: Peer): Promise<number | undefined>;
}

export interface LocalCallers {
  /** Whether anybody comes without credentials at all. */
  readonly open: boolean;
  /** Why this one does not; undefined when it is root or the cluster's owner. */
  refusal(
    request: FaceRequest,
  ): Promise<{ readonly status: 401 | 403; readonly message: string } | undefined>;
}

/**
 * Who may use the faces of Mesos and Marathon without credentials: root and the cluster's owner, from
 * this machine, under its own names, and never a web page.
 */
export function localCallers(options: LocalCallersOptions): LocalCallers {
  const known = new WeakMap<Peer, Promise<boolean>>();
  const isOwner = (peer: Peer): Promise<boolean> => {
    const earlier = known.get(peer);
    if (earlier !== undefined) return earlier;
    const found = ownsBothEnds(options, peer);
    known.set(peer, found);
    return found;
  };
  return {
    open: options.owners.size > 0,
    async refusal(request) {
      if (options.owners.size === 0) return { status: 401, message: 'Credentials are needed' };
      const page = pageProblem(request, options.hosts);
      if (page !== undefined) return { status: 403, message: page };
      if (await isOwner(request.peer)) return undefined;
      const message =
        "Credentials are needed: only root and the cluster's owner come without, and from this machine";
      return { status: 401, message };
    },
  };
}

async function ownsBothEnds(options: LocalCallersOptions, peer: Peer): Promise<boolean> {
  // In process there is no socket; over one, both ends are on this machine when it knows an owner.
  if (peer.address === '') return true;
  const uid = await options.socketOwner(peer);
  return uid !== undefined && options.owners.has(uid);
}

/** A browser says where its page is from, and by which name it thinks it speaks to us. */
function pageProblem(request: FaceRequest, hosts: ReadonlySet<string>): string | undefined {
  if (request.headers['origin'] !== undefined)
    return 'Requests of web pages need credentials (the request has an Origin)';
  const host = (request.headers['host'] ?? '').toLowerCase().replace(/:\d+$/, '');
  if (host === '' || hosts.has(host)) return undefined;
  return `Requests to the host "${host.slice(0, 80)}" need credentials`;
}
