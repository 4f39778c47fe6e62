import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';

/** Where this machine reaches an application that listens. */
export function urlOf(app: INestApplication): string {
  const { address, port, family } = (app.getHttpServer() as { address(): AddressInfo }).address();
  if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
