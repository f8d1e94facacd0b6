import type { ModelSettings } from './settings.ts';

/** The text of a feature that is switched off; the odd parenthesis is the original's. */
export function featureText(feature: string): string {
  return `Feature ${feature} is not enabled. Enable with --enable_features ${feature})`;
}

export function hasFeature(settings: ModelSettings, feature: string): boolean {
  return settings.features.includes(feature);
}
