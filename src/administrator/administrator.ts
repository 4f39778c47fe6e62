import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DistributedSessionManager, type ListedService, type ServiceCredential } from 'nestjs-distributed-session';
import type { Environment } from '../config/environment.js';
import { keyEntries } from '../config/key-entries.js';
import { environmentConfig } from '../config/read-environment.js';
import { AdministratorSecrets } from './administrator-secrets.js';

/** Marks the registration of the administrator, so that it can be found after `ADMIN_SERVICE_ID` has changed. */
const MARK = 'session-service.administrator';
/** Marks a former administrator, which has no other permission, so that a process with its id does not restore it. */
const FORMER_MARK = 'session-service.former-administrator';
const PERMISSIONS = ['*', MARK];
/** The name of a registration with a generated secret, which a configured one may replace. */
const TEMPORARY = 'Administrator with a generated secret';

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
    const services = (await this.sessions.listServices()).filter(isReadable);
    const registered = services.find(({ serviceId }) => serviceId === ADMIN_SERVICE_ID);
    // While a new id is rolled out, processes with the old one still start. They must not take it back.
    if (registered?.permissions.includes(FORMER_MARK)) return this.#logger.warn(formerWarning(ADMIN_SERVICE_ID));
    const earlier = services.filter(
      ({ serviceId, permissions }) => serviceId !== ADMIN_SERVICE_ID && permissions.includes(MARK),
    );
    await this.#register(registered);
    for (const { serviceId } of earlier) await this.#retire(serviceId);
  }

  async #register(registered: ServiceCredential | undefined): Promise<void> {
    const { ADMIN_SERVICE_ID: serviceId, ADMIN_SECRET } = this.environment;
    const [secretKey, ...earlier] = keyEntries(ADMIN_SECRET);
    const isAdministrator = registered && PERMISSIONS.every((each) => registered.permissions.includes(each));
    if (secretKey !== undefined && isAdministrator && registered.serviceName !== TEMPORARY) {
      // Replacing the registration would end the other secret of a change in progress, and may undo a newer one.
      const secrets = new AdministratorSecrets(this.sessions, serviceId, [secretKey, ...earlier]);
      return secrets.follow();
    }
    const serviceName = secretKey === undefined ? TEMPORARY : 'Administrator';
    const registration = { serviceId, serviceName, permissions: PERMISSIONS, secretKey };
    const { secret } = await this.sessions.registerService(registration, { replace: true });
    if (secretKey === undefined) this.#generatedSecret = secret;
  }

  /** Takes the permissions and the secrets from an earlier administrator: its new secret is not kept. */
  async #retire(serviceId: string): Promise<void> {
    const registration = { serviceId, serviceName: 'Former administrator', permissions: [FORMER_MARK] };
    await this.sessions.registerService(registration, { replace: true });
    this.#logger.log(`The former administrator '${serviceId}' has lost its permissions and secrets.`);
  }
}

function formerWarning(serviceId: string): string {
  const way = 'Set ADMIN_SERVICE_ID to the new id. To use this id again, revoke the service first.';
  return `ADMIN_SERVICE_ID '${serviceId}' was replaced by another id, so it is not registered as administrator. ${way}`;
}

/** One that a later release wrote is that release's to manage. */
function isReadable(service: ListedService): service is ServiceCredential {
  return service.unreadable === undefined;
}
