import type { ArchiveForm, ArchiveLimits } from './archive.ts';
import type { DownloadOptions } from './download.ts';

/** What a fetcher of files needs. Loaded when it is first used. */
export interface FetchTools {
  /** Status of the answer; the file is there when it is 200. */
  download(url: string, path: string, options: DownloadOptions): Promise<number>;
  /** Throws `ArchiveError`; nothing ever leaves `root`. */
  extract(
    path: string,
    options: { readonly form: ArchiveForm; readonly root: string; readonly limits: ArchiveLimits },
  ): Promise<void>;
  gunzip(from: string, to: string, limits: ArchiveLimits): Promise<void>;
}

export const systemFetchTools: FetchTools = {
  download: async (...args) => (await import('./download.ts')).downloadFile(...args),
  extract: async (...args) => (await import('./archive.ts')).extractArchive(...args),
  gunzip: async (...args) => (await import('./archive.ts')).gunzipFile(...args),
};
