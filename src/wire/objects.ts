export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `k8s.io.api.core.v1.Pod` is `v1.Pod` to Go. */
export function goName(name: string): string {
  return name.split('.').slice(-2).join('.');
}

/** Sets an own key; `__proto__` must not become the object's prototype. */
export function setKey(object: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  else object[key] = value;
}
