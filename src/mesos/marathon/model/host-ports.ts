import type { App } from './types.ts';

/** The host ports an app's definition asks for: 0 is any, undefined none. */
export function hostPortsOf(app: App): (number | undefined)[] {
  const mappings = app.container?.portMappings ?? [];
  return mappings.length > 0
    ? mappings.map(({ hostPort }) => hostPort)
    : (app.portDefinitions ?? []).map(({ port }) => port);
}
