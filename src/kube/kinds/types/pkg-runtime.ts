// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.

export type RawExtension = unknown;

export interface TypeMeta {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
}

export type Unknown = unknown;
