/**
 * Every verb of `tandem` as one table: parsing, help, completion and the manual follow from it.
 */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** 'flag' takes no value. */
  readonly type: 'flag' | 'text' | 'number';
  readonly value?: string;
  readonly repeated?: boolean;
  readonly help: string;
}
export interface VerbDeclaration {
  readonly name: string;
  /** As the usage line shows them: `[NAME]`, `KIND NAME`. */
  readonly arguments: string;
  readonly summary: string;
  readonly help?: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** Words that may follow, for completion. */
  readonly words?: readonly string[];
  /** Everything after `--` or after the first argument belongs to somebody else. */
  readonly passThrough?: boolean;
}

const cluster: Flag = {
  name: 'name',
  type: 'text',
  value: 'NAME',
  help: 'cluster to work on (default: tandem)',
};
const dataDir: Flag = {
  name: 'data-dir',
  type: 'text',
  value: 'DIR',
  help: 'where the cluster keeps everything',
};
const output: Flag = {
  name: 'output',
  short: 'o',
  type: 'text',
  value: 'FORMAT',
  help: 'json for machines',
};
const namespace: Flag = {
  name: 'namespace',
  short: 'n',
  type: 'text',
  value: 'NS',
  help: "namespace (default: the context's, else default)",
};
const yes: Flag = { name: 'yes', short: 'y', type: 'flag', help: 'do not ask' };
const which = [cluster, dataDir];

export const verbs: readonly VerbDeclaration[] = [
  {
    name: 'up',
    arguments: '',
    summary: 'set up what is missing and start the cluster',
    help: 'Starts a cluster or the processes of one that are missing, waits until its nodes are Ready and points kubectl at it. Running it again does no harm.',
    flags: [
      ...which,
      { name: 'nodes', type: 'number', value: 'N', help: 'number of nodes (default 1)' },
      {
        name: 'node-cpus',
        type: 'number',
        value: 'CPUS',
        help: 'cores each node has, enforced (default: the whole machine)',
      },
      {
        name: 'node-memory',
        type: 'text',
        value: 'SIZE',
        help: 'memory each node has, enforced, like 4Gi',
      },
      {
        name: 'port-offset',
        type: 'number',
        value: 'N',
        help: 'added to every port, for a second cluster',
      },
      {
        name: 'ephemeral',
        type: 'flag',
        help: 'keep the store in memory: a stopped cluster is forgotten',
      },
      {
        name: 'authenticate',
        type: 'flag',
        help: 'let nobody use Mesos and Marathon without a user and password or a token',
      },
    ],
    examples: [
      'tandem up',
      'tandem up --nodes 3 --node-cpus 2 --node-memory 4Gi',
      'tandem up --name second --port-offset 100',
    ],
  },
  {
    name: 'down',
    arguments: '',
    summary: 'stop the cluster and its containers; objects are kept',
    flags: which,
    examples: ['tandem down'],
  },
  {
    name: 'restart',
    arguments: '',
    summary: 'restart server and agents; containers run on',
    flags: which,
    examples: ['tandem restart'],
  },
  {
    name: 'destroy',
    arguments: '',
    summary: 'remove the cluster and everything it made on this machine',
    flags: [...which, yes],
    examples: ['tandem destroy', 'tandem destroy --name second --yes'],
  },
  {
    name: 'status',
    arguments: '',
    summary: 'show what runs and how it is',
    flags: [...which, output],
    examples: ['tandem status', 'tandem status -o json'],
  },
  {
    name: 'doctor',
    arguments: '',
    summary: 'look for what is wrong and name the command that mends it',
    flags: [...which, output],
    examples: ['tandem doctor'],
  },
  {
    name: 'kubeconfig',
    arguments: '',
    summary: 'print a kubeconfig for the cluster',
    flags: which,
    examples: ['tandem kubeconfig > cluster.yaml'],
  },
  {
    name: 'image',
    arguments: 'load FILE|- | ls | rm IMAGE...',
    summary: 'load, list and remove images',
    help: 'FILE is a docker-archive or an OCI layout, as tar or tar.gz; "-" reads standard input. A loaded image answers for its name before any registry is asked.',
    flags: [...which, output],
    words: ['load', 'ls', 'rm'],
    examples: [
      'tandem image load hello.tar',
      'docker save web:1 | tandem image load -',
      'tandem image ls -o json',
      'tandem image rm web:1',
    ],
  },
  {
    name: 'user',
    arguments: 'add NAME | ls | rm NAME',
    summary: 'users and passwords for Mesos, Marathon and other tools of that kind',
    help: 'Adds a user that HTTP basic credentials name, and prints the password. What users may do is said by roles on mesos.tandem.dev and marathon.tandem.dev.',
    flags: [
      ...which,
      {
        name: 'password',
        type: 'text',
        value: 'TEXT',
        help: 'instead of one that is made up',
      },
      { name: 'group', type: 'text', value: 'GROUP', repeated: true, help: 'a group of the user' },
    ],
    words: ['add', 'ls', 'rm'],
    examples: ['tandem user add ada --group ops', 'tandem user ls', 'tandem user rm ada'],
  },
  {
    name: 'logs',
    arguments: '[POD]',
    summary: 'print the log of a Pod, or of a part of Tandem',
    flags: [
      ...which,
      namespace,
      { name: 'component', type: 'text', value: 'PART', help: 'server or agent, instead of a Pod' },
      { name: 'container', short: 'c', type: 'text', value: 'NAME', help: 'container of the Pod' },
      { name: 'follow', short: 'f', type: 'flag', help: 'go on as lines come' },
      {
        name: 'previous',
        short: 'p',
        type: 'flag',
        help: 'of the container before the last restart',
      },
      { name: 'tail', type: 'number', value: 'LINES', help: 'only the last lines' },
      { name: 'node', type: 'text', value: 'NODE', help: 'with --component agent: which one' },
    ],
    examples: ['tandem logs web-0', 'tandem logs --component server --tail 50'],
  },
  {
    name: 'export',
    arguments: '[FILE]',
    summary: 'write a tarball for a bug report, without secrets',
    flags: which,
    examples: ['tandem export report.tar.gz'],
  },
  {
    name: 'backup',
    arguments: 'FILE',
    summary: 'write a copy of the store while the cluster runs',
    flags: which,
    examples: ['tandem backup monday.db'],
  },
  {
    name: 'restore',
    arguments: 'FILE',
    summary: 'put a backup in place of the store',
    flags: [...which, yes],
    examples: ['tandem restore monday.db'],
  },
  {
    name: 'bench',
    arguments: '[LINE...]',
    summary: 'measure this machine against the budgets',
    flags: [
      output,
      { name: 'seconds', type: 'number', value: 'S', help: 'length of each measurement' },
    ],
    examples: ['tandem bench', 'tandem bench create-configmap -o json'],
  },
  {
    name: 'version',
    arguments: '',
    summary: 'print the version',
    flags: [output],
    examples: ['tandem version'],
  },
  {
    name: 'completion',
    arguments: 'bash|zsh|fish',
    summary: 'print a completion script',
    words: ['bash', 'zsh', 'fish'],
    flags: [],
    examples: ['source <(tandem completion bash)'],
  },
  {
    name: 'get',
    arguments: 'KIND [NAME]',
    summary: 'list objects, or show one',
    flags: [
      ...which,
      namespace,
      { name: 'all-namespaces', short: 'A', type: 'flag', help: 'in every namespace' },
      {
        name: 'selector',
        short: 'l',
        type: 'text',
        value: 'LABELS',
        help: 'only with these labels',
      },
      {
        name: 'output',
        short: 'o',
        type: 'text',
        value: 'FORMAT',
        help: 'wide, json, yaml or name',
      },
    ],
    examples: ['tandem get pods -A', 'tandem get deployment web -o yaml'],
  },
  {
    name: 'describe',
    arguments: 'KIND NAME',
    summary: 'show an object with its events',
    flags: [...which, namespace],
    examples: ['tandem describe pod web-0'],
  },
  {
    name: 'apply',
    arguments: '-f FILE',
    summary: 'create objects or bring them to what a file says',
    flags: [
      ...which,
      namespace,
      {
        name: 'filename',
        short: 'f',
        type: 'text',
        value: 'FILE',
        repeated: true,
        help: 'YAML or JSON; "-" is standard input',
      },
    ],
    examples: ['tandem apply -f app.yaml', 'cat app.yaml | tandem apply -f -'],
  },
  {
    name: 'delete',
    arguments: 'KIND NAME',
    summary: 'delete an object',
    flags: [...which, namespace],
    examples: ['tandem delete deployment web'],
  },
  {
    name: 'exec',
    arguments: 'POD -- COMMAND...',
    summary: 'run a command in a container',
    flags: [
      ...which,
      namespace,
      { name: 'container', short: 'c', type: 'text', value: 'NAME', help: 'container of the Pod' },
      { name: 'stdin', short: 'i', type: 'flag', help: 'pass standard input on' },
      { name: 'tty', short: 't', type: 'flag', help: 'with a terminal' },
    ],
    passThrough: true,
    examples: ['tandem exec -it web-0 -- sh'],
  },
  {
    name: 'help',
    arguments: '[VERB]',
    summary: 'explain a verb',
    flags: [],
    examples: ['tandem help up'],
  },
];
