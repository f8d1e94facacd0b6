import type { FaceReply } from '#base';
import { countsOf } from '../model/index.ts';
import type { Call } from './http.ts';
import { emptyReply, mayView } from './http.ts';

/** `/ui/`: what runs, as one page without scripts; `GET /` leads here as in the original. */

const encoder = new TextEncoder();

const style =
  'body{font:15px sans-serif;margin:2em}table{border-collapse:collapse}' +
  'th,td{text-align:left;padding:.3em 1.2em .3em 0;border-bottom:1px solid #ccc}';

export function toUI(): FaceReply {
  return emptyReply(302, { Location: '/ui/' });
}

export function page(call: Call): FaceReply {
  const { engine } = call;
  const rows = [...engine.root().apps.values()]
    .filter(({ id }) => mayView(call, 'app', id))
    .map((app) => {
      const instances = [...engine.tracker.of(app.id).values()];
      const counts = countsOf(instances, () => []);
      const deploying = engine.deployments.isLocked(app.id) ? 'deploying' : '';
      const cells = [`${counts.tasksRunning} of ${app.instances}`, app.cpus, app.mem, deploying];
      const id = escaped(app.id);
      const texts = cells.map((cell) => `<td>${escaped(String(cell))}</td>`).join('');
      return `<tr><td><a href="/v2/apps${id}">${id}</a></td>${texts}</tr>`;
    });
  const head = ['App', 'Running', 'CPUs', 'Mem', ''].map((name) => `<th>${name}</th>`).join('');
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Marathon</title>` +
    `<style>${style}</style></head><body><h1>Marathon</h1><table><tr>${head}</tr>` +
    `${rows.join('')}</table><p>${linksText}</p></body></html>`;
  return {
    status: 200,
    headers: { 'Content-Type': 'text/html;charset=utf-8' },
    body: encoder.encode(html),
  };
}

const linksText = ['apps', 'groups', 'pods', 'deployments', 'queue', 'tasks', 'info']
  .map((name) => `<a href="/v2/${name}">${name}</a>`)
  .join(' ');

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
