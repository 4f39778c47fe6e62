import type { Type } from '@nestjs/common';
import { OrderModule } from './order/order.module.js';
import { PayModule } from './pay/pay.module.js';
import type { ServiceName } from './registrations.js';
import { UserModule } from './user/user.module.js';

export const SERVICE_MODULES: Readonly<Record<ServiceName, Type>> = {
  user: UserModule,
  order: OrderModule,
  pay: PayModule,
};
