import { Logger } from '@nestjs/common';
import {
  type DistributedSessionManager,
  MAX_DURATION_MS,
  ServiceAuthenticationError,
  ServiceConflictError,
  ServiceInputError,
  type VerifiedService,
} from 'nestjs-distributed-session';

/** A secret that {@link AdministratorSecrets} keeps ends later than this; an operator's own rotation ends it sooner. */
const KEPT_MS = MAX_DURATION_MS / 2;

/**
 * Brings the secrets of the registered administrator in line with the configured ones, while processes with an earlier and
 * with a later configuration start in any order. Only a process that has a current secret changes them: one whose
 * secrets are all unknown may have an outdated configuration, so it changes nothing.
 */
export class AdministratorSecrets {
  readonly #logger = new Logger('Administrator');

  constructor(
    private readonly sessions: DistributedSessionManager,
    private readonly serviceId: string,
    /** The configured secrets: the one to stay first. */
    private readonly configured: readonly [string, ...string[]],
  ) {}

  async follow(): Promise<void> {
    const [first, ...earlier] = this.configured;
    const current = await this.#verified(first);
    const known = (await Promise.all(earlier.map((secret) => this.#verified(secret)))).filter(
      (service) => service !== undefined,
    );
    if (current) return this.#endEarlier(current, known);
    if (known[0] === undefined) return this.#logger.error(unknownSecret(this.serviceId));
    await this.#endEarlier(known[0], known);
    await this.#add(first);
  }

  /** Adds the first secret. The earlier ones stay valid until a process starts that no longer lists them. */
  async #add(secretKey: string): Promise<void> {
    try {
      await this.sessions.rotateServiceSecret(this.serviceId, { secretKey, overlapMs: MAX_DURATION_MS });
      this.#logger.log(`Added the new secret of the administrator '${this.serviceId}'.`);
    } catch (error) {
      if (!(error instanceof ServiceConflictError) && !(error instanceof ServiceInputError)) throw error;
      // Another process has added the secret at the same time, or another one.
      if (!(await this.#verified(secretKey))) this.#logger.error(thirdSecret(this.serviceId));
    }
  }

  /** Ends the secrets that are older than a configured one and not configured: an operator has removed them. */
  async #endEarlier({ keyId, secrets }: VerifiedService, known: readonly VerifiedService[]): Promise<void> {
    const older = secrets.slice(
      0,
      secrets.findIndex((secret) => secret.keyId === keyId),
    );
    for (const secret of older) {
      const endsByItself = secret.endsAt !== undefined && secret.endsAt - Date.now() < KEPT_MS;
      if (endsByItself || known.some((service) => service.keyId === secret.keyId)) continue;
      await this.sessions.endServiceSecret(this.serviceId, secret.keyId);
      this.#logger.log(
        `Ended an earlier secret of the administrator '${this.serviceId}', which is no longer configured.`,
      );
    }
  }

  async #verified(secret: string): Promise<VerifiedService | undefined> {
    try {
      return await this.sessions.verifyService(this.serviceId, secret);
    } catch (error) {
      if (error instanceof ServiceAuthenticationError) return undefined;
      throw error;
    }
  }
}

function unknownSecret(serviceId: string): string {
  return (
    `The administrator '${serviceId}' has another secret than ADMIN_SECRET, and keeps it. To change it, set ADMIN_SECRET to ` +
    'the new secret and the current one, separated by a space. If the current one is lost, set ADMIN_SERVICE_ID to a new id.'
  );
}

function thirdSecret(serviceId: string): string {
  return (
    `The administrator '${serviceId}' already has two valid secrets, so the first entry of ADMIN_SECRET was not added. End ` +
    'one of them, or list both of them.'
  );
}
