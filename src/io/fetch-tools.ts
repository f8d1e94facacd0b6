import type { ArchiveForm, ArchiveLimits } from './archive.ts';
import type { DownloadOptions } from './download.ts';

/** What a fetcher of files needs. Loaded when it is first used. */
export interface FetchTools {
  /** Status of the answer; the file is there when it is 200. */
  download(url: string, path: string, options: DownloadOptions): Promise<number>;
  /** The same by FTP, over TLS or not; the file is there when it is 226. */
  downloadByFtp(url: URL, path: string, options: DownloadOptions): Promise<number>;
  /** What the machine's Hadoop client can read. Throws with the reference's words. */
  copyByHadoop(uri: string, path: string, signal: AbortSignal): Promise<void>;
  /** Throws `ArchiveError`; nothing ever leaves `root`. */
  extract(
    path: string,
    options: { readonly form: ArchiveForm; readonly root: string; readonly limits: ArchiveLimits },
  ): Promise<void>;
  gunzip(from: string, to: string, limits: ArchiveLimits): Promise<void>;
}

export const systemFetchTools: FetchTools = {
  download: async (...args) => (await import('./download.ts')).downloadFile(...args),
  downloadByFtp: async (...args) => (await import('./ftp.ts')).downloadByFtp(...args),
  copyByHadoop: async (...args) => (await import('./hadoop.ts')).copyByHadoop(...args),
  extract: async (...args) => (await import('./archive.ts')).extractArchive(...args),
  gunzip: async (...args) => (await import('./archive.ts')).gunzipFile(...args),
};
