import '../model/module-format.js';

// The contract that a driver or a wrapper fulfils
export { HISTORY_LIMIT, SessionStorage, type StoreLocation } from './session-storage.js';
export type * from './session-storage.operations.js';
export type {
  ListedRecord,
  SessionRecord,
  SessionTombstone,
  StoredSession,
  UnreadableRecord,
} from './session-record.js';
export type * from './storage-change.js';
export {
  MAX_SERVICES,
  MAX_SERVICE_SECRETS,
  ServiceCredentialStorage,
  type AddServiceSecret,
  type AddServiceSecretResult,
  type ListedServiceRecord,
  type NewServiceSecret,
  type PepperedHash,
  type PutService,
  type PutServiceResult,
  type RenewSecretHash,
  type SecretHash,
  type ServiceCredentialRecord,
  type StoredServiceSecret,
  type UnreadableServiceRecord,
} from './service-credential-storage.js';

// Rules that every driver applies in the same way
export { asSeenAt, expiredTombstone, expiryOf, isDue, toTombstone, withAccess } from './session-lifetime.js';
export { serviceIdSkeleton } from '../model/service-id.js';
export { type Admission, planAdmission } from './session-admission.js';
