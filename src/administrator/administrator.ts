import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DistributedSessionManager, ServiceAuthenticationError } from 'nestjs-distributed-session';
import { environmentConfig } from '../config/environment.config.js';
import type { Environment } from '../config/environment.js';

const EVERYTHING = ['*'];

/**
 * The service that may do everything, and so registers the others. Its secret is the configured one; development makes
 * one at each start where none is. Production does not get this far without.
 */
@Injectable()
export class Administrator implements OnApplicationBootstrap {
  #generatedSecret: string | undefined;

  constructor(
    private readonly sessions: DistributedSessionManager,
    @Inject(environmentConfig.KEY) private readonly environment: Environment,
  ) {}

  /** The secret of this start, to be shown once; `undefined` where it was configured. */
  get generatedSecret(): string | undefined {
    return this.#generatedSecret;
  }

  async onApplicationBootstrap(): Promise<void> {
    const { ADMIN_SERVICE_ID: serviceId, ADMIN_SECRET: secretKey } = this.environment;
    // Registering anew would end the secrets of a rotation that is under way.
    if (secretKey !== undefined && (await this.#isRegistered(serviceId, secretKey))) return;
    const registration = { serviceId, serviceName: 'Administrator', permissions: EVERYTHING, secretKey };
    const { secret } = await this.sessions.registerService(registration, { replace: true });
    if (secretKey === undefined) this.#generatedSecret = secret;
  }

  async #isRegistered(serviceId: string, secret: string): Promise<boolean> {
    try {
      const { permissions } = await this.sessions.verifyService(serviceId, secret);
      return permissions.includes('*');
    } catch (error) {
      if (error instanceof ServiceAuthenticationError) return false;
      throw error;
    }
  }
}
