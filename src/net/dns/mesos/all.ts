export { createMesosDnsFace } from './face.ts';
export { mesosNames } from './names.ts';
export { MesosView } from './view.ts';
