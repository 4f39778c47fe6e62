import './model/module-format.js';

// Module, options and manager
export { DistributedSessionModule } from './distributed-session.module.js';
export type {
  DistributedSessionModuleExtras,
  DistributedSessionModuleOptions,
  StorageSource,
} from './distributed-session.module-options.js';
export { DistributedSessionOptions } from './distributed-session.options.js';
export { type DistributedSessionOptionsInput, RESOLVED_OPTIONS, type ResolvedOptions } from './resolve-options.js';
export { type KeyOption, NO_KEY } from './model/key-list.js';
export { Secret } from './model/secret.js';
export { DistributedSessionManager } from './session/distributed-session.manager.js';
export type { LoginPage, SessionCounts } from './storage/session-storage.operations.js';
export type { TouchCounts } from './session/touch-queue.js';

// Several modules in one application
export {
  InjectDistributedSessionManager,
  InjectResolvedOptions,
  InjectServiceCredentialStorage,
  InjectSessionEvents,
  InjectSessionStorage,
  getDistributedSessionManagerToken,
  getResolvedOptionsToken,
  getServiceCredentialStorageToken,
  getSessionEventsToken,
  getSessionStorageToken,
} from './modules/module-tokens.js';
export type { ModuleSelection } from './options/module-selection.js';

// Sessions
export type {
  IssuedSession,
  ListedSession,
  Session,
  SessionClient,
  SessionHistoryEntry,
  SessionUpdate,
  UnreadableCause,
  UnreadableSession,
} from './model/session.js';
export {
  CALLER_END_REASONS,
  type CallerEndReason,
  ENDED_BY_EXPIRY,
  END_REASONS,
  type EndReason,
  type RecordedEndReason,
} from './model/end-reason.js';
export { type SessionCredential, TOKEN_PATTERN } from './session/session-credential.js';
export type { CreateSessionOptions, EndAllOptions, EndOptions, RotateOptions } from './session/session-input.js';
export type { ReadOptions } from './session/session-reader.js';

// Attributes
export {
  type AttributeInput,
  type AttributeLimits,
  type AttributePatch,
  type AttributeValue,
  DEFAULT_ATTRIBUTE_LIMITS,
  type JsonValue,
  type SessionAttributes,
} from './model/attributes.js';

// Limits and forms of arguments, for validation and API documents
export { MAX_DURATION_MS } from './model/duration.js';
export { DEFAULT_PAGE_SIZE, INPUT_LIMITS } from './model/input-limits.js';
export { SERVICE_ID_PATTERN, SERVICE_ID_RULE } from './model/service-id.js';
export { SESSION_ID_PATTERN } from './model/session-id.js';
export { TIMEOUT_PRESETS, type TimeoutPreset } from './model/session-timeouts.js';

// Services and permissions
export { SESSION_PERMISSIONS } from './service/permission.js';
export type {
  IssuedServiceCredential,
  ListedService,
  ServiceCredential,
  ServiceSecretStatus,
  UnreadableService,
  VerifiedService,
} from './service/service-credential.js';
export type { ServiceRegistration } from './service/service-input.js';
export { DEFAULT_OVERLAP_MS, type RotateServiceSecretOptions } from './service/service-registry.js';
export type { VerifyServiceOptions } from './service/service-verifier.js';

// Guards and decorators
export {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  OptionalSession,
  RequireServicePermission,
  SessionAttribute,
  forSomeAttributes,
} from './guards/decorators.js';
export { DistributedSessionExceptionFilter } from './guards/distributed-session-exception.filter.js';
export { type GuardedRequest, guardedRequestOf } from './guards/guarded-request.js';
export type { PermissionRequirement } from './guards/route-requirements.js';
export { type PresentedServiceCredential, ServiceAuthGuard } from './guards/service-auth.guard.js';
export { ServicePermissionGuard } from './guards/service-permission.guard.js';
export { SessionGuard } from './guards/session.guard.js';
export type { ServiceCarrier, SessionCarrier } from './model/credential-carriers.js';

// Events
export { OnSessionEvent } from './events/on-session-event.decorator.js';
export {
  SESSION_EVENT_TYPES,
  type SessionEvent,
  type SessionEventMap,
  type SessionEventType,
} from './session/session-event.js';
export { SessionEvents } from './session/session-events.js';

// The storage's injection token and the storage in memory; `./storage` exports the contract for driver authors
export type { Clock } from './model/clock.js';
export {
  InMemorySessionStorage,
  type InMemorySessionStorageOptions,
} from './storage/in-memory/in-memory-session-storage.js';
export { SessionStorage } from './storage/session-storage.js';

// Errors
export type { AnyDistributedSessionError } from './errors/any-distributed-session.error.js';
export { DistributedSessionError, type DistributedSessionErrorCode } from './errors/distributed-session.error.js';
export { OptionsError } from './errors/options.error.js';
export { PackageUnavailableError } from './errors/package-unavailable.error.js';
export * from './errors/request.errors.js';
export { shownUnknown, unknownName } from './options/unknown-name.js';
export * from './errors/service.errors.js';
export * from './errors/session.errors.js';
export * from './errors/storage.errors.js';
export { retryAfterSeconds, toHttpException } from './errors/to-http-exception.js';
