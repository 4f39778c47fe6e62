// The module and the manager
export { DistributedSessionModule } from './distributed-session.module.js';
export {
  type DistributedSessionModuleOptions,
  RESOLVED_OPTIONS,
  type StorageSource,
} from './distributed-session.module-definition.js';
export { DistributedSessionOptions } from './distributed-session.options.js';
export type { DistributedSessionOptionsInput, ResolvedOptions } from './resolve-options.js';
export { DistributedSessionManager } from './session/distributed-session.manager.js';

// Sessions
export type { IssuedSession, Session, SessionClient, SessionHistoryEntry, SessionUpdate } from './session/session.js';
export type {
  AttributeInput,
  AttributePatch,
  AttributeValue,
  JsonValue,
  SessionAttributes,
} from './session/attributes.js';
export { type AttributeLimits, DEFAULT_ATTRIBUTE_LIMITS } from './session/attribute-limits.js';
export type { SessionCredential } from './session/session-credential.js';
export type { CreateSessionOptions } from './session/session-input.js';
export type { EndAllOptions, EndOptions } from './session/end-options.js';
export type { ReadOptions } from './session/session-reader.js';
export type { TouchCounts } from './session/touch-queue.js';
export {
  CALLER_END_REASONS,
  type CallerEndReason,
  ENDED_BY_EXPIRY,
  END_REASONS,
  type EndReason,
} from './session/end-reason.js';
export {
  MAX_DURATION_MS,
  type SessionTimeouts,
  TIMEOUT_PRESETS,
  type TimeoutPreset,
} from './session/session-timeouts.js';

// Services and permissions
export type { IssuedServiceCredential, ServiceCredential, ServiceSecretStatus } from './service/service-credential.js';
export type { ServiceRegistration } from './service/service-input.js';
export type { RotateServiceSecretOptions } from './service/service-registry.js';
export type { VerifyServiceOptions } from './service/service-verifier.js';
export { SESSION_PERMISSIONS } from './service/permission.js';

// Guards and decorators
export { type PresentedServiceCredential, ServiceAuthGuard } from './guards/service-auth.guard.js';
export { ServicePermissionGuard } from './guards/service-permission.guard.js';
export { SessionGuard } from './guards/session.guard.js';
export { type GuardedRequest, requestOf as guardedRequestOf } from './guards/guarded-request.js';
export type { ServiceCarrier, SessionCarrier } from './guards/credential-carriers.js';

export {
  type PermissionRequirement,
  RequireServicePermission,
  partly,
} from './decorators/require-service-permission.decorator.js';
export { AllowAnonymousService } from './decorators/allow-anonymous-service.decorator.js';
export { OptionalSession } from './decorators/optional-session.decorator.js';
export { CurrentService } from './decorators/current-service.decorator.js';
export { CurrentSession, SessionAttribute } from './decorators/current-session.decorator.js';

// Events
export { OnSessionEvent } from './decorators/on-session-event.decorator.js';
export { SessionEvents } from './events/session-events.js';
export {
  SESSION_EVENT_TYPES,
  type SessionEvent,
  type SessionEventMap,
  type SessionEventType,
  type SessionRefusedEvent,
} from './events/session-event.js';

// Storage: the contract, and the driver that needs nothing
export { HISTORY_LIMIT, SessionStorage } from './storage/session-storage.js';
export type * from './storage/session-storage.operations.js';
export type { SessionRecord, SessionTombstone, StoredSession } from './storage/session-record.js';
export type * from './storage/storage-change.js';
export {
  MAX_SERVICES,
  MAX_SERVICE_SECRETS,
  ServiceCredentialStorage,
  type AddServiceSecret,
  type AddServiceSecretResult,
  type NewServiceSecret,
  type PutService,
  type PutServiceResult,
  type SecretHash,
  type ServiceCredentialRecord,
  type StoredServiceSecret,
} from './storage/service-credential-storage.js';
export { accessed, buried, expired, expiryOf, isDue, seenAt } from './storage/session-lifetime.js';
export { type Admission, planAdmission } from './storage/session-admission.js';
export type { Clock } from './storage/clock.js';
export {
  InMemorySessionStorage,
  type InMemorySessionStorageOptions,
} from './storage/in-memory/in-memory-session-storage.js';

// Errors
export { DistributedSessionError, type DistributedSessionErrorCode } from './errors/distributed-session.error.js';
export type { AnyDistributedSessionError } from './errors/any-distributed-session.error.js';
export { OptionsError } from './errors/options.error.js';
export * from './errors/session.errors.js';
export * from './errors/service.errors.js';
export * from './errors/storage.errors.js';
export { retryAfterSeconds, toHttpException } from './errors/to-http-exception.js';
export { DistributedSessionExceptionFilter } from './errors/distributed-session-exception.filter.js';
