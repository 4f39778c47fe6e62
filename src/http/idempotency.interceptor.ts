import type { IncomingMessage } from 'node:http';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiHeader } from '@nestjs/swagger';
import { type VerifiedService, guardedRequestOf } from 'nestjs-distributed-session';
import { type Observable, firstValueFrom, from } from 'rxjs';
import { IdempotencyKeys } from './idempotency-keys.js';
import { RequestError } from './problem.js';

const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Lets a client repeat a request whose response was lost: a request with the same `Idempotency-Key` gets the first
 * response, and nothing is created twice. Apply it to routes that create: `@UseInterceptors(IdempotencyInterceptor)`.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly keys: IdempotencyKeys,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const key = guardedRequestOf(context).headerValues('idempotency-key')[0];
    return key === undefined ? next.handle() : from(this.#once(context, key, next));
  }

  async #once(context: ExecutionContext, key: string, next: CallHandler): Promise<unknown> {
    if (!KEY.test(key)) {
      const message = 'must be 1 to 255 printable ASCII characters without spaces, such as a UUID.';
      throw RequestError.of('ERR_REQUEST_HEADER', 'Idempotency-Key', message);
    }
    const http = context.switchToHttp();
    const { body, params } = http.getRequest<IncomingMessage & { body: unknown; params: unknown }>();
    const request = {
      caller: guardedRequestOf(context).service as VerifiedService,
      operation: context.getHandler().name,
      key,
      body: JSON.stringify([params, body ?? null]),
    };
    const { response, isReplay } = await this.keys.once(request, () => firstValueFrom(next.handle()));
    if (isReplay) this.host.httpAdapter.setHeader(http.getResponse<object>(), 'Idempotency-Replayed', 'true');
    return response;
  }
}

/** Describes the `Idempotency-Key` header of a route with {@link IdempotencyInterceptor}. */
export const ApiIdempotencyKey = (): MethodDecorator =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'Makes the request safe to repeat if the response is lost: a request with the same key gets the first response, and nothing is created twice. The key belongs to the secret that authenticated the request, until the service is changed. The process that responded remembers the key for a limited time.',
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      pattern: '^[\\x21-\\x7e]+$',
    },
  });
