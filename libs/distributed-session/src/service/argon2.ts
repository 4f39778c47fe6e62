import { PackageUnavailableError } from '../errors/package-unavailable.error.js';

/** The functions of `@node-rs/argon2`. */
export type Argon2 = Pick<typeof import('@node-rs/argon2'), 'hash' | 'verify'>;

/**
 * Loads argon2 when the first chosen secret needs it. Its native part is an optional dependency, which installations
 * without optional packages, or with the lock file of another platform, lack.
 *
 * @throws {PackageUnavailableError} when it is not installed for this platform.
 */
export async function loadArgon2(): Promise<Argon2> {
  try {
    return await import('@node-rs/argon2');
  } catch (cause) {
    throw new PackageUnavailableError(
      '@node-rs/argon2',
      `Chosen service secrets (secretKey) require it, generated ones do not. Install it for ${process.platform}-${process.arch} ` +
        'with "npm install --include=optional", or give the service a generated secret with rotateServiceSecret().',
      { cause },
    );
  }
}
