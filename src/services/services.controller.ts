import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  Post,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import {
  DistributedSessionManager,
  ServiceAuthenticationError,
  type ServiceCredential,
  ServiceNotFoundError,
  StorageCorruptError,
  StorageNewerFormatError,
  type VerifiedService,
  toHttpException,
} from 'nestjs-distributed-session';
import { ReservedServiceGuard } from '../administrator/reserved-service.guard.js';
import { CallerSessions } from '../http/calling-service.js';
import { ApiIdempotencyKey, IdempotencyInterceptor } from '../http/idempotency.interceptor.js';
import { Operation } from '../openapi/operation.decorator.js';
import { EndedResponse } from '../sessions/session.dto.js';
import {
  ApiServiceId,
  IssuedServiceResponse,
  type IssuedServiceView,
  RegisterServiceBody,
  RevokedResponse,
  RotateServiceSecretBody,
  ServiceResponse,
  ServicesResponse,
  VerifiedServiceResponse,
  VerifyServiceBody,
  showIssuedService,
} from './service.dto.js';

/** Services, their secrets and their permissions. */
@ApiTags('Services')
@UseGuards(ReservedServiceGuard)
@Controller('v1/services')
export class ServicesController {
  @Post()
  @UseInterceptors(IdempotencyInterceptor)
  @ApiIdempotencyKey()
  @Operation({
    summary: 'Register a service',
    description:
      'Returns a generated secret, which is returned only once. Requires every permission that the service gets.',
    permissions: ['service.manage'],
    body: {
      type: RegisterServiceBody,
      example: { serviceId: 'order', serviceName: 'Orders', permissions: ['session.read', 'session.write:order.*'] },
    },
    response: { status: 201, type: IssuedServiceResponse, description: 'The service, with its secret.' },
    problems: [
      'ERR_SERVICE_INPUT',
      'ERR_SERVICE_EXISTS',
      'ERR_SERVICE_CONFLICT',
      'ERR_IDEMPOTENCY_KEY_REUSED',
      'ERR_STORAGE_FULL',
    ],
  })
  async registerService(
    @CallerSessions() sessions: DistributedSessionManager,
    @Body() { replace, ...registration }: RegisterServiceBody,
  ): Promise<IssuedServiceView> {
    return showIssuedService(await sessions.registerService(registration, { replace }));
  }

  @Post('verify')
  @HttpCode(200)
  @Operation({
    summary: 'Verify a service credential',
    permissions: ['service.read'],
    response: { type: VerifiedServiceResponse, description: 'The service, and which of its secrets it presented.' },
    problems: [['ERR_SERVICE_AUTHENTICATION', 422]],
  })
  verifyService(
    @CallerSessions() sessions: DistributedSessionManager,
    @Body() presented: VerifyServiceBody,
  ): Promise<VerifiedService> {
    return verifyPresented(sessions, presented);
  }

  @Get()
  @Operation({
    summary: 'List the services',
    permissions: ['service.read'],
    response: { type: ServicesResponse, description: 'All services, at most 1,000.' },
  })
  async listServices(@CallerSessions() sessions: DistributedSessionManager): Promise<ServicesResponse> {
    return { services: await sessions.listServices() };
  }

  @Get(':serviceId')
  @ApiServiceId()
  @Operation({
    summary: 'Read a service',
    permissions: ['service.read'],
    response: { type: ServiceResponse, description: 'The service.' },
    problems: ['ERR_SERVICE_NOT_FOUND'],
  })
  async getService(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('serviceId') serviceId: string,
  ): Promise<ServiceCredential> {
    const service = (await sessions.listServices()).find((listed) => listed.serviceId === serviceId);
    if (!service) throw new ServiceNotFoundError(serviceId);
    if (service.unreadable === 'newer-format') throw new StorageNewerFormatError(`Service ${serviceId}`);
    if (service.unreadable)
      throw new StorageCorruptError(`Service ${serviceId} cannot be read. Revoke it to remove it.`);
    return service;
  }

  @Delete(':serviceId')
  @ApiServiceId()
  @Operation({
    summary: 'Revoke a service',
    description:
      'Every process rejects the service and all its secrets from then on. Sessions that it created stay alive.',
    permissions: ['service.manage'],
    response: { type: RevokedResponse, description: 'Whether the service was registered.' },
    problems: ['ERR_SERVICE_INPUT'],
  })
  async revokeService(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('serviceId') serviceId: string,
  ): Promise<RevokedResponse> {
    return { revoked: await sessions.revokeService(serviceId) };
  }

  @Post(':serviceId/secrets')
  @UseInterceptors(IdempotencyInterceptor)
  @ApiIdempotencyKey()
  @ApiServiceId()
  @Operation({
    summary: "Rotate a service's secret",
    description:
      'Returns a generated secret. The previous one stays valid for the overlap. Requires every permission of the service.',
    permissions: ['service.manage'],
    body: { type: RotateServiceSecretBody, example: { overlapMs: 3_600_000 } },
    response: { status: 201, type: IssuedServiceResponse, description: 'The service, with its new secret.' },
    problems: ['ERR_SERVICE_INPUT', 'ERR_SERVICE_NOT_FOUND', 'ERR_SERVICE_CONFLICT', 'ERR_IDEMPOTENCY_KEY_REUSED'],
  })
  async rotateServiceSecret(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('serviceId') serviceId: string,
    @Body() options: RotateServiceSecretBody,
  ): Promise<IssuedServiceView> {
    return showIssuedService(await sessions.rotateServiceSecret(serviceId, options));
  }

  @Delete(':serviceId/secrets/:keyId')
  @ApiServiceId()
  @ApiParam({
    name: 'keyId',
    description: 'Identifies the secret. It is not a credential.',
    schema: { type: 'string', example: '3kTMd9qYzB' },
  })
  @Operation({
    summary: "End one of a service's secrets",
    permissions: ['service.manage'],
    response: { type: EndedResponse, description: 'Whether this request ended the secret.' },
    problems: ['ERR_SERVICE_INPUT'],
  })
  async endServiceSecret(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('serviceId') serviceId: string,
    @Param('keyId') keyId: string,
  ): Promise<EndedResponse> {
    return { ended: await sessions.endServiceSecret(serviceId, keyId) };
  }
}

/**
 * Verifies the credential in the body. A failure is a 422, because a 401 would concern the caller. Failures are counted
 * by caller, and by the source that the caller names, so that one caller's failures do not lock out another's services.
 */
async function verifyPresented(
  sessions: DistributedSessionManager,
  { serviceId, secret, ...options }: VerifyServiceBody,
): Promise<VerifiedService> {
  try {
    if (serviceId === undefined) return await sessions.verifyServiceSecret(secret, options);
    return await sessions.verifyService(serviceId, secret, options);
  } catch (error) {
    const isInvalid = error instanceof ServiceAuthenticationError && error.retryAfterMs === undefined;
    throw isInvalid ? toHttpException(error, HttpStatus.UNPROCESSABLE_ENTITY) : error;
  }
}
