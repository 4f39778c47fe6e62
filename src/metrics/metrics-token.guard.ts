import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable, NotFoundException } from '@nestjs/common';
import { guardedRequestOf, ServiceAuthenticationError, toHttpException } from 'nestjs-distributed-session';
import type { Environment } from '../config/environment.js';
import { keyEntries } from '../config/key-entries.js';
import { environmentConfig } from '../config/read-environment.js';

/** Requires an entry of `METRICS_TOKEN`. Without a configured token, the route is open, but in production it responds with 404. */
@Injectable()
export class MetricsTokenGuard implements CanActivate {
  constructor(@Inject(environmentConfig.KEY) private readonly environment: Environment) {}

  canActivate(context: ExecutionContext): boolean {
    const { METRICS_TOKEN, isProduction } = this.environment;
    if (METRICS_TOKEN === undefined && isProduction) throw new NotFoundException();
    if (METRICS_TOKEN === undefined) return true;
    const request = guardedRequestOf(context);
    const sent = request.headerValues('authorization');
    const matching = keyEntries(METRICS_TOKEN).filter((token) => isEqual(sent[0] ?? '', `Bearer ${token}`));
    if (sent.length === 1 && matching.length > 0) return true;
    request.setResponseHeader('WWW-Authenticate', 'Bearer realm="metrics"');
    throw toHttpException(new ServiceAuthenticationError());
  }
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a!, b!);
}
