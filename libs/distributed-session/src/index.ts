// The module and the manager
export { DistributedSessionModule } from './distributed-session.module.js';
export { type DistributedSessionModuleOptions, type StorageSource } from './distributed-session.module-definition.js';
export { DistributedSessionOptions } from './distributed-session.options.js';
export { type DistributedSessionOptionsInput, RESOLVED_OPTIONS, type ResolvedOptions } from './resolve-options.js';
export { DistributedSessionManager } from './session/distributed-session.manager.js';

// Sessions
export type { IssuedSession, Session, SessionClient, SessionHistoryEntry, SessionUpdate } from './model/session.js';
export type {
  AttributeInput,
  AttributePatch,
  AttributeValue,
  JsonValue,
  SessionAttributes,
} from './model/attributes.js';
export { type AttributeLimits, DEFAULT_ATTRIBUTE_LIMITS } from './model/attributes.js';
export type { SessionCredential } from './session/session-credential.js';
export type { CreateSessionOptions } from './session/session-input.js';
export type { EndAllOptions, EndOptions } from './session/session-input.js';
export type { ReadOptions } from './session/session-reader.js';
export type { TouchCounts } from './session/touch-queue.js';
export {
  CALLER_END_REASONS,
  type CallerEndReason,
  ENDED_BY_EXPIRY,
  END_REASONS,
  type EndReason,
} from './model/end-reason.js';
export { DEFAULT_PAGE_SIZE, INPUT_LIMITS } from './model/input-limits.js';
export { SESSION_ID_PATTERN } from './model/session-id.js';
export { SERVICE_ID_PATTERN } from './model/service-id.js';
export { TOKEN_PATTERN } from './session/session-credential.js';
export { MAX_DURATION_MS } from './model/duration.js';
export { type SessionTimeouts, TIMEOUT_PRESETS, type TimeoutPreset } from './model/session-timeouts.js';

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
export type { ServiceCarrier, SessionCarrier } from './model/credential-carriers.js';
export type { PermissionRequirement } from './guards/route-requirements.js';
export {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  OptionalSession,
  RequireServicePermission,
  SessionAttribute,
  forSomeAttributes,
} from './guards/decorators.js';

// Events
export { OnSessionEvent } from './events/on-session-event.decorator.js';
export { SessionEvents } from './session/session-events.js';
export {
  SESSION_EVENT_TYPES,
  type SessionEvent,
  type SessionEventMap,
  type SessionEventType,
  type SessionRefusedEvent,
} from './session/session-event.js';

// Storage: the injection token, what the manager returns of it, and the driver without a server
export { SessionStorage } from './storage/session-storage.js';
export { ServiceCredentialStorage } from './storage/service-credential-storage.js';
export type { ListLogins, LoginPage, SessionCounts, StorageHealth } from './storage/session-storage.operations.js';
export type { Clock } from './model/clock.js';
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
