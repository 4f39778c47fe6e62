import type { Type } from '@nestjs/common';
import type { ServiceRegistration } from 'nestjs-distributed-session';
import { OrderModule } from './order/order.module.js';
import { PayModule } from './pay/pay.module.js';
import { UserModule } from './user/user.module.js';

export const SERVICE_NAMES = ['user', 'order', 'pay'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export type Registrations = Readonly<Record<ServiceName, ServiceRegistration>>;

/** The three services as an operator registers them: each has the permissions that it needs, and no more. */
export const REGISTRATIONS: Registrations = {
  user: {
    serviceId: 'user',
    serviceName: 'Users',
    permissions: ['session.create', 'session.read', 'session.write', 'session.delete', 'session.list'],
  },
  order: { serviceId: 'order', serviceName: 'Orders', permissions: ['session.read', 'session.write:order.*'] },
  pay: { serviceId: 'pay', serviceName: 'Payments', permissions: ['session.read', 'session.write:pay.*'] },
};

/** The module of each service. */
export const SERVICE_MODULES: Readonly<Record<ServiceName, Type>> = {
  user: UserModule,
  order: OrderModule,
  pay: PayModule,
};
