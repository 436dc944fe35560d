// Property values: what registry entries, personalities and entitlements are made of.

/** A property-list value. Numbers are safe integers; dates and reals do not occur in this field. */
export type PropertyValue =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly PropertyValue[]
  | { readonly [key: string]: PropertyValue };

/** A registry table, a personality, an entitlements dictionary. */
export type Properties = { readonly [key: string]: PropertyValue };

export function isDictionary(value: PropertyValue | undefined): value is Properties {
  return typeof value === "object" && !(value instanceof Uint8Array) && !Array.isArray(value);
}

/** Equality as the kernel's collections have it: same type, same content. */
export function sameProperty(left: PropertyValue, right: PropertyValue): boolean {
  if (left === right) return true;
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    if (!(left instanceof Uint8Array && right instanceof Uint8Array) || left.length !== right.length)
      return false;
    return left.every((byte, index) => byte === right[index]);
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!(Array.isArray(left) && Array.isArray(right)) || left.length !== right.length) return false;
    return left.every((item, index) => sameProperty(item, right[index]));
  }
  if (!isDictionary(left) || !isDictionary(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => key in right && sameProperty(left[key], right[key]));
}

/** Keys that only one of the two has, or has with another value. */
export function differingKeys(left: Properties, right: Properties): string[] {
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].filter(
    (key) => !(key in left && key in right && sameProperty(left[key], right[key])),
  );
}
