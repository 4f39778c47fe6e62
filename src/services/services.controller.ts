import { Body, Controller, Delete, Get, HttpCode, Param, Post, UseInterceptors } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import {
  CurrentService,
  DistributedSessionManager,
  type ServiceCredential,
  ServiceNotFoundError,
} from 'nestjs-distributed-session';
import { CallerSessions } from '../http/caller-sessions.decorator.js';
import { ApiIdempotencyKey, IdempotencyInterceptor } from '../http/idempotency.interceptor.js';
import { Operation } from '../openapi/operation.decorator.js';
import { EndedResponse } from '../sessions/ended.response.js';
import { type IssuedServiceView, showIssued } from './issued-service.js';
import { RegisterServiceBody } from './register-service.body.js';
import { RotateServiceSecretBody } from './rotate-service-secret.body.js';
import { proveService } from './service-proof.js';
import { IssuedServiceResponse, RevokedResponse, ServiceResponse, ServicesResponse } from './service.response.js';
import { VerifyServiceBody } from './verify-service.body.js';

const ApiServiceId = (): MethodDecorator =>
  ApiParam({
    name: 'serviceId',
    schema: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$', example: 'order' },
  });

/** Services: who they are, how they prove it, and what they may do. */
@ApiTags('Services')
@Controller('v1/services')
export class ServicesController {
  @Post()
  @UseInterceptors(IdempotencyInterceptor)
  @ApiIdempotencyKey()
  @Operation({
    summary: 'Register a service',
    description: 'The answer holds its secret: the only time that it leaves this service.',
    permissions: ['service.manage'],
    body: {
      type: RegisterServiceBody,
      example: { serviceId: 'order', serviceName: 'Orders', permissions: ['session.read', 'session.write:order.*'] },
    },
    answer: { status: 201, type: IssuedServiceResponse, description: 'The service, with its secret.' },
    problems: ['ERR_SERVICE_INPUT', 'ERR_SERVICE_EXISTS', 'ERR_IDEMPOTENCY_KEY_REUSED', 'ERR_STORAGE_FULL'],
  })
  async registerService(
    @CallerSessions() sessions: DistributedSessionManager,
    @Body() { replace, ...registration }: RegisterServiceBody,
  ): Promise<IssuedServiceView> {
    return showIssued(await sessions.registerService(registration, { replace }));
  }

  @Post('verify')
  @HttpCode(200)
  @Operation({
    summary: 'Find the service that a secret proves',
    permissions: ['service.read'],
    answer: { type: ServiceResponse, description: 'The service.' },
    problems: [['ERR_SERVICE_AUTHENTICATION', 422]],
  })
  verifyService(
    @CallerSessions() sessions: DistributedSessionManager,
    @CurrentService() caller: ServiceCredential,
    @Body() presented: VerifyServiceBody,
  ): Promise<ServiceCredential> {
    return proveService(sessions, caller, presented);
  }

  @Get()
  @Operation({
    summary: 'List the services',
    permissions: ['service.read'],
    answer: { type: ServicesResponse, description: 'All of them; there are at most 1,000.' },
  })
  async listServices(@CallerSessions() sessions: DistributedSessionManager): Promise<ServicesResponse> {
    return { services: await sessions.listServices() };
  }

  @Get(':serviceId')
  @ApiServiceId()
  @Operation({
    summary: 'Read a service',
    permissions: ['service.read'],
    answer: { type: ServiceResponse, description: 'The service.' },
    problems: ['ERR_SERVICE_NOT_FOUND'],
  })
  async getService(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('serviceId') serviceId: string,
  ): Promise<ServiceCredential> {
    const service = (await sessions.listServices()).find((listed) => listed.serviceId === serviceId);
    if (!service) throw new ServiceNotFoundError(serviceId);
    return service;
  }

  @Delete(':serviceId')
  @ApiServiceId()
  @Operation({
    summary: 'Revoke a service',
    description: 'Every process refuses it and all its secrets from then on. The sessions that it created stay.',
    permissions: ['service.manage'],
    answer: { type: RevokedResponse, description: 'Whether there was such a service.' },
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
    summary: 'Give a service a new secret',
    description: 'The one until now stays good for the overlap. Asks for every permission of the service as well.',
    permissions: ['service.manage'],
    body: { type: RotateServiceSecretBody, example: { overlapMs: 3_600_000 } },
    answer: { status: 201, type: IssuedServiceResponse, description: 'The service, with its new secret.' },
    problems: ['ERR_SERVICE_INPUT', 'ERR_SERVICE_NOT_FOUND', 'ERR_SERVICE_CONFLICT', 'ERR_IDEMPOTENCY_KEY_REUSED'],
  })
  async rotateServiceSecret(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('serviceId') serviceId: string,
    @Body() options: RotateServiceSecretBody,
  ): Promise<IssuedServiceView> {
    return showIssued(await sessions.rotateServiceSecret(serviceId, options));
  }

  @Delete(':serviceId/secrets/:keyId')
  @ApiServiceId()
  @ApiParam({ name: 'keyId', schema: { type: 'string', example: '3kTMd9qYzB' } })
  @Operation({
    summary: 'End one secret of a service',
    permissions: ['service.manage'],
    answer: { type: EndedResponse, description: 'Whether it was good until now.' },
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
