import { spawn } from 'node:child_process';
import type { ByteSocket } from '#base';
import { socketOf } from './streams.ts';
import { toolEnvironment } from './command.ts';

/**
 * Node can neither enter a network namespace nor open a SOCK_SEQPACKET socket (conmon's attach socket
 * is one). Both are 30 lines of perl, which is essential on Debian, starts in 3 ms and takes 5 MB.
 *
 * `tcp HOST PORT`: bytes both ways; the first output byte is "+" once connected, else "-" and why.
 * `packets PATH`: input bytes become packets; each packet comes out as 4 bytes of length, then itself.
 */
const program = `
use strict; use Socket;
$SIG{PIPE} = 'IGNORE'; $| = 1;
my ($kind, @to) = @ARGV; my $s;
sub fail { my $e = "$_[0]: $!"; syswrite(STDOUT, "-$e"); exit 1 }
if ($kind eq 'tcp') {
  my $a = inet_aton($to[0]) or fail("unknown host $to[0]");
  socket($s, PF_INET, SOCK_STREAM, 0) or fail('socket');
  connect($s, pack_sockaddr_in($to[1], $a)) or fail("connect to $to[0]:$to[1]");
} else {
  # An address holds 107 bytes and our paths may be longer: connect from the socket's own folder.
  my ($folder, $file) = $to[0] =~ m{^(.*)/([^/]+)$}s;
  chdir($folder) or fail("open $folder");
  socket($s, PF_UNIX, SOCK_SEQPACKET, 0) or fail('socket');
  connect($s, pack_sockaddr_un($file)) or fail('connect');
}
syswrite(STDOUT, '+');
sub put { my ($h, $d) = @_; my $o = 0;
  while ($o < length $d) { my $n = syswrite($h, $d, length($d) - $o, $o); return 0 unless defined $n; $o += $n }
  return 1 }
my ($in, $out) = (1, 1);
while ($out) {
  my $r = ''; vec($r, 0, 1) = 1 if $in; vec($r, fileno($s), 1) = 1;
  next if select($r, undef, undef, undef) < 0;
  if (vec($r, fileno($s), 1)) {
    my $n = sysread($s, my $b, 65536);
    if (!$n) { $out = 0 } else { $out = put(*STDOUT, $kind eq 'tcp' ? $b : pack('N', $n) . $b) }
  }
  if ($in && vec($r, 0, 1)) {
    my $n = sysread(STDIN, my $b, $kind eq 'tcp' ? 65536 : 8192);
    if (!$n) { $in = 0; shutdown($s, 1) } elsif (!put($s, $b)) { $in = 0 }
  }
}
`;

/** Starts the relay (behind `prefix`) and gives its socket once it is connected. */
export function relay(
  prefix: readonly string[],
  target: readonly ['tcp', string, string] | readonly ['packets', string],
): Promise<ByteSocket> {
  const [file = '', ...args] = [...prefix, 'perl', '-e', program, ...target];
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'], env: toolEnvironment });
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`Cannot connect to ${target.slice(1).join(':')}: ${why}`));
    };
    child.once('error', (cause) => refuse(cause.message));
    child.stdout.once('end', () => refuse('the relay ended'));
    child.stdout.once('data', (first: Buffer) => {
      child.stdout.pause();
      child.stdout.removeAllListeners('end');
      if (first[0] !== 0x2b) {
        refuse(first.subarray(1).toString('utf8'));
        return;
      }
      if (first.length > 1) child.stdout.unshift(first.subarray(1));
      resolve(socketOf(child));
    });
  });
}

/** Cuts the relay's output back into packets. */
export async function* packetsOf(incoming: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of incoming) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0);
      if (rest.length < 4 + length) break;
      yield rest.subarray(4, 4 + length);
      rest = rest.subarray(4 + length);
    }
  }
}
