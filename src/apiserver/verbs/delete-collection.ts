import { StatusError } from '#machinery';
import type { Call, Core } from '../core.ts';
import { type DeleteRequest, deleteObject } from './delete.ts';
import { type ListPage, type ListRequest, listObjects } from './list.ts';

const atOnce = 16;

/** Deletes what a list finds, one by one; answers with the objects as they were found. */
export async function deleteCollection(
  core: Core,
  call: Call,
  { request, options }: { readonly request: ListRequest; readonly options: DeleteRequest },
): Promise<ListPage> {
  const page = await listObjects(core, call.kind, request);
  const names = page.objects.map(({ key }) => key.slice(core.cache.of(call.kind).prefix.length));
  for (let from = 0; from < names.length; from += atOnce)
    await Promise.all(
      names.slice(from, from + atOnce).map(async (path) => {
        const slash = path.indexOf('/');
        const one: Call = {
          ...call,
          name: path.slice(slash + 1),
          namespace: slash < 0 ? '' : path.slice(0, slash),
        };
        try {
          await deleteObject(core, one, options);
        } catch (error) {
          // Somebody else was faster: that is what was asked for.
          if (!(error instanceof StatusError && error.reason === 'NotFound')) throw error;
        }
      }),
    );
  return page;
}
