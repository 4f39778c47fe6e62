import type { INestApplication, Type } from '@nestjs/common';
import { DistributedSessionManager, type SessionStorage } from 'nestjs-distributed-session';
import { OrderModule } from '../order/order.module.js';
import { PayModule } from '../pay/pay.module.js';
import { type Registrations, SERVICE_NAMES, type ServiceName } from '../registrations.js';
import { EmbeddedSessionsModule } from '../service/embedded-sessions.module.js';
import { startService } from '../service/start-service.js';
import { UserModule } from '../user/user.module.js';
import type { Stage, ServiceUrls } from './stage.js';
import type { StorageChoice } from './storages/storage-choice.js';

const MODULES: Readonly<Record<ServiceName, Type>> = { user: UserModule, order: OrderModule, pay: PayModule };

/** All three services in this process, on one storage. */
export class OneProcessStage implements Stage {
  readonly setting: string;
  readonly #storage: SessionStorage;
  readonly #operator: DistributedSessionManager;
  readonly #apps: INestApplication[] = [];

  constructor(choice: StorageChoice) {
    this.setting = `All three run in this process and share ${choice.name}.`;
    this.#storage = choice.create();
    this.#operator = new DistributedSessionManager({ serviceId: 'operator', storage: this.#storage });
  }

  async start(registrations: Registrations): Promise<ServiceUrls> {
    await this.#operator.connect();
    const urls: Partial<Record<ServiceName, string>> = {};
    for (const name of SERVICE_NAMES) {
      const { serviceId, secret } = await this.#operator.registerService(registrations[name]);
      const sessions = EmbeddedSessionsModule.forService({ serviceId, secret }, this.#storage);
      const app = await startService(MODULES[name], sessions);
      this.#apps.push(app);
      urls[name] = await app.getUrl();
    }
    return urls as ServiceUrls;
  }

  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.close()));
    await this.#operator.close();
  }
}
