import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DistributedSessionManager, ServiceAuthenticationError } from 'nestjs-distributed-session';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';

const ALL_PERMISSIONS = ['*'];

/**
 * Registers the administrator: a service with every permission, which registers the other services. Without a configured
 * secret, development generates one at every start; production does not start.
 */
@Injectable()
export class Administrator implements OnApplicationBootstrap {
  #generatedSecret: string | undefined;

  constructor(
    private readonly sessions: DistributedSessionManager,
    @Inject(environmentConfig.KEY) private readonly environment: Environment,
  ) {}

  /** Returns the secret generated at this start, once, to be printed; `undefined` if a secret is configured. */
  takeGeneratedSecret(): string | undefined {
    const secret = this.#generatedSecret;
    this.#generatedSecret = undefined;
    return secret;
  }

  async onApplicationBootstrap(): Promise<void> {
    const { ADMIN_SERVICE_ID: serviceId, ADMIN_SECRET: secretKey } = this.environment;
    // Replacing the registration would end the other secret of a rotation in progress.
    if (secretKey !== undefined && (await this.#isRegistered(serviceId, secretKey))) return;
    const registration = { serviceId, serviceName: 'Administrator', permissions: ALL_PERMISSIONS, secretKey };
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
