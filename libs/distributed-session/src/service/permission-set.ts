import { type Permission, covers, coversPartly, parsePermission } from './permission.js';

/** The permissions of one service, parsed once and asked often. */
export class PermissionSet {
  readonly #granted: readonly Permission[];

  /** Throws {@link ServiceInputError} for a text that is no permission. */
  constructor(permissions: readonly string[]) {
    this.#granted = permissions.map((text, index) => parsePermission(text, `permissions[${index}]`));
  }

  /** Whether all of `required` is granted. A permission narrowed to attributes does not grant the whole one. */
  grants(required: Permission): boolean {
    return this.#granted.some((granted) => covers(granted, required));
  }

  /** Whether `required` is granted for some attributes at least. */
  grantsPartly(required: Permission): boolean {
    return this.#granted.some((granted) => coversPartly(granted, required));
  }

  /** Whether a permission that can be narrowed is granted for this attribute. */
  grantsAttribute(required: Permission, key: string): boolean {
    return this.grants({ ...required, attributes: key.split('.') });
  }
}
