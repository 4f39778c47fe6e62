import { type CallHandler, type ExecutionContext, HttpStatus, Injectable, type NestInterceptor } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Observable, tap } from 'rxjs';
import { entityTag } from './entity-tag.js';

/**
 * Sets the headers of responses under `/v1`: `Cache-Control: no-store`, a session's version as `ETag`, and the
 * `Location` of a created resource.
 */
@Injectable()
export class ResourceHeadersInterceptor implements NestInterceptor {
  constructor(private readonly host: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<object>();
    const { httpAdapter } = this.host;
    httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
    return next.handle().pipe(
      tap((body: unknown) => {
        const { version, sessionId, serviceId } = Object(body) as Partial<Record<string, string | number>>;
        // No request takes the version of a service as a precondition.
        const isService = sessionId === undefined && serviceId !== undefined;
        if (typeof version === 'number' && !isService) httpAdapter.setHeader(response, 'ETag', entityTag(version));
        if (isCreation(context)) {
          const path = isService ? `/v1/services/${serviceId}` : `/v1/sessions/${sessionId}`;
          httpAdapter.setHeader(response, 'Location', path);
        }
      }),
    );
  }
}

function isCreation(context: ExecutionContext): boolean {
  return context.switchToHttp().getResponse<{ statusCode: number }>().statusCode === (HttpStatus.CREATED as number);
}
