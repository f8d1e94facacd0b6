/**
 * Resources of machines, offers and tasks: values, sums, reservations, volumes, texts and what
 * operations turn into what. Pure; start with `arithmetic.ts`.
 */
export * from './arithmetic.ts';
export * from './conversions.ts';
export * from './node-attributes.ts';
export * from './parse.ts';
export * from './reservations.ts';
export * from './same.ts';
export * from './text.ts';
export * from './validate.ts';
export * from './values.ts';
