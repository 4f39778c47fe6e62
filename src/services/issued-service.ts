import type { IssuedServiceCredential, ServiceCredential } from 'nestjs-distributed-session';

export type IssuedServiceView = ServiceCredential & Pick<IssuedServiceCredential, 'secret' | 'keyId'>;

/** The service with its secret where JSON finds it. On the result of the manager it is not enumerable. */
export function showIssued(service: IssuedServiceCredential): IssuedServiceView {
  return { ...service, secret: service.secret };
}
