import { Client, FTPError } from 'basic-ftp';
import type { DownloadOptions } from './download.ts';

/**
 * RETR of one file, `ftp://` or, over TLS from the first byte, `ftps://`; gives the server's last
 * code (226 when all is well). Without a user in the URL it is an anonymous one, as curl has it.
 */
export async function downloadByFtp(
  url: URL,
  path: string,
  { stallMs, bytesMax, signal }: DownloadOptions,
): Promise<number> {
  signal.throwIfAborted();
  const client = new Client(stallMs);
  const close = (): void => client.close();
  signal.addEventListener('abort', close, { once: true });
  let large = false;
  try {
    const overTls = url.protocol === 'ftps:';
    await client.access({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (overTls ? 990 : 21) : Number(url.port),
      user: decodeURIComponent(url.username) || 'anonymous',
      password: decodeURIComponent(url.password) || 'ftp@example.com',
      secure: overTls ? 'implicit' : false,
    });
    client.trackProgress(({ bytesOverall }) => {
      if (bytesOverall <= bytesMax) return;
      large = true;
      client.close();
    });
    // Relative to where the login leads; a second slash makes it absolute.
    const { code } = await client.downloadTo(path, decodeURIComponent(url.pathname.slice(1)));
    return code;
  } catch (error) {
    signal.throwIfAborted();
    if (large) throw new Error(`The file is larger than ${bytesMax} bytes`, { cause: error });
    if (error instanceof FTPError) return error.code;
    throw error;
  } finally {
    signal.removeEventListener('abort', close);
    client.close();
  }
}
