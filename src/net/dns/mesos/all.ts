export { createMesosDnsFace } from './face.ts';
export { mesosNames } from './names.ts';
export { TaskFeed } from './task-feed.ts';
export { MesosView } from './view.ts';
