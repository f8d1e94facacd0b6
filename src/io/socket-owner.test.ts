import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { Peer } from '#base';
import { ownerIn, socketOwner } from './socket-owner.ts';

function peerOf(socket: Socket): Peer {
  return {
    address: socket.remoteAddress ?? '',
    port: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? '',
    localPort: socket.localPort ?? 0,
    secure: false,
    certificates: [],
  };
}

suite('socketOwner', () => {
  test("A connection on loopback belongs to this process' user", async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = await accepted;
    assert.equal(await socketOwner(peerOf(socket)), process.getuid?.());
    client.destroy();
    socket.destroy();
    server.close();
  });

  test('A connection from elsewhere and one without a socket belong to nobody', async () => {
    const nowhere = { localAddress: '127.0.0.1', localPort: 5050, secure: false, certificates: [] };
    assert.equal(await socketOwner({ address: '192.0.2.7', port: 9, ...nowhere }), undefined);
    assert.equal(await socketOwner({ address: '', port: 0, ...nowhere }), undefined);
  });

  test('The row of both ends is the one that counts', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout',
      '   0: 0100007F:13BA 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1',
      '   1: 0100007F:C350 0100007F:13BA 01 00000000:00000000 00:00000000 00000000  1000        0 2',
    ].join('\n');
    const ends = { address: '127.0.0.1', port: 50_000, localAddress: '127.0.0.1' };
    const peer = { ...ends, localPort: 5050, secure: false, certificates: [] };
    assert.equal(ownerIn(table, peer), 1000);
    assert.equal(ownerIn(table, { ...peer, port: 50_001 }), undefined);
  });
});
