// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.

export type Quantity = unknown;
