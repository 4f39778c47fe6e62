import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable, NotFoundException } from '@nestjs/common';
import { guardedRequestOf, ServiceAuthenticationError, toHttpException } from 'nestjs-distributed-session';
import { environmentConfig } from '../config/environment.config.js';
import type { Environment } from '../config/environment.js';

/** Lets in who sends `METRICS_TOKEN`. Where none is set, everybody, but in production nobody: there is no such route. */
@Injectable()
export class MetricsTokenGuard implements CanActivate {
  constructor(@Inject(environmentConfig.KEY) private readonly environment: Environment) {}

  canActivate(context: ExecutionContext): boolean {
    const { METRICS_TOKEN, isProduction } = this.environment;
    if (METRICS_TOKEN === undefined && isProduction) throw new NotFoundException();
    if (METRICS_TOKEN === undefined) return true;
    const request = guardedRequestOf(context);
    const sent = request.headerValues('authorization');
    if (sent.length === 1 && isEqual(sent[0]!, `Bearer ${METRICS_TOKEN}`)) return true;
    request.setResponseHeader('WWW-Authenticate', 'Bearer realm="metrics"');
    throw toHttpException(new ServiceAuthenticationError());
  }
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a!, b!);
}
