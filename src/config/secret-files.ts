import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { SECRET_VARIABLES } from './environment.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Far more than any secret. It bounds what a wrong path, such as a device, makes this process read. */
const MAX_BYTES = 65_536;
const ACCESS_OF_OTHERS = 0o077;

/**
 * Reads a file with a secret, without the newline at its end.
 *
 * @throws {Error} with a `code`, when it cannot be read or is too large.
 */
export function readSecretFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > MAX_BYTES) throw Object.assign(new Error(), { code: 'EFBIG' });
    return bytes.toString('utf8', 0, length).replace(/\r?\n$/, '');
  } finally {
    closeSync(file);
  }
}

/**
 * Returns a warning for each secret file that other users of the machine may read or change, without its content. It
 * does not prevent the start, because Docker and Kubernetes mount secrets with such modes in a container that has no
 * other users.
 */
export function secretFileWarnings(variables: Variables): string[] {
  // Windows has access lists instead of these modes.
  if (process.platform === 'win32') return [];
  return SECRET_VARIABLES.flatMap((name) => {
    const path = variables[`${name}_FILE`]?.trim();
    const mode = path ? statSync(path, { throwIfNoEntry: false })?.mode : undefined;
    if (mode === undefined || (mode & ACCESS_OF_OTHERS) === 0) return [];
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    return [`${name}_FILE names a file that other users may access (mode ${octal}). Restrict it with: chmod 600`];
  });
}
