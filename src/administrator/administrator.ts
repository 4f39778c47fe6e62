import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DistributedSessionManager, ServiceAuthenticationError } from 'nestjs-distributed-session';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';

/** Marks the registration of the administrator, so that it can be found after `ADMIN_SERVICE_ID` has changed. */
const MARK = 'session-service.administrator';
/** Marks a former administrator, which has no other permission, so that a process with its id does not restore it. */
const FORMER_MARK = 'session-service.former-administrator';
const PERMISSIONS = ['*', MARK];

/**
 * Registers the administrator: a service with every permission, which registers the other services. Without a configured
 * secret, development generates one at every start; production does not start. An administrator with an earlier id loses
 * its permissions and secrets; other services with every permission keep them.
 */
@Injectable()
export class Administrator implements OnApplicationBootstrap {
  readonly #logger = new Logger(Administrator.name);
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
    const { ADMIN_SERVICE_ID } = this.environment;
    const services = await this.sessions.listServices();
    const isFormer = services.some(
      ({ serviceId, permissions }) => serviceId === ADMIN_SERVICE_ID && permissions.includes(FORMER_MARK),
    );
    // While a new id is rolled out, processes with the old one still start. They must not take it back.
    if (isFormer) return this.#logger.warn(formerWarning(ADMIN_SERVICE_ID));
    const earlier = services.filter(
      ({ serviceId, permissions }) => serviceId !== ADMIN_SERVICE_ID && permissions.includes(MARK),
    );
    await this.#register();
    for (const { serviceId } of earlier) await this.#retire(serviceId);
  }

  async #register(): Promise<void> {
    const { ADMIN_SERVICE_ID: serviceId, ADMIN_SECRET: secretKey } = this.environment;
    // Replacing the registration would end the other secret of a rotation in progress.
    if (secretKey !== undefined && (await this.#isRegistered(serviceId, secretKey))) return;
    const registration = { serviceId, serviceName: 'Administrator', permissions: PERMISSIONS, secretKey };
    const { secret } = await this.sessions.registerService(registration, { replace: true });
    if (secretKey === undefined) this.#generatedSecret = secret;
  }

  /** Takes the permissions and the secrets from an earlier administrator: its new secret is not kept. */
  async #retire(serviceId: string): Promise<void> {
    const registration = { serviceId, serviceName: 'Former administrator', permissions: [FORMER_MARK] };
    await this.sessions.registerService(registration, { replace: true });
    this.#logger.log(`The former administrator '${serviceId}' has lost its permissions and secrets.`);
  }

  async #isRegistered(serviceId: string, secret: string): Promise<boolean> {
    try {
      const { permissions } = await this.sessions.verifyService(serviceId, secret);
      return PERMISSIONS.every((permission) => permissions.includes(permission));
    } catch (error) {
      if (error instanceof ServiceAuthenticationError) return false;
      throw error;
    }
  }
}

function formerWarning(serviceId: string): string {
  const way = 'Set ADMIN_SERVICE_ID to the new id. To use this id again, revoke the service first.';
  return `ADMIN_SERVICE_ID '${serviceId}' was replaced by another id, so it is not registered as administrator. ${way}`;
}
