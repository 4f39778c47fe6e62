import type { ServiceRegistration } from 'nestjs-distributed-session';

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
