import { Logger } from '@nestjs/common';
import { StorageUnavailableError } from '../errors/storage.errors.js';
import type { ResolvedOptions } from '../resolve-options.js';
import { SecretHasher } from '../service/secret-hasher.js';
import { ServiceRegistry } from '../service/service-registry.js';
import { ServiceVerifier } from '../service/service-verifier.js';
import type { SessionTombstone } from '../storage/session-record.js';
import { AttributeWriter } from './attribute-writer.js';
import { LateUseLimit } from './late-use-limit.js';
import { STRONG_TOKEN_LENGTH } from './session-credential.js';
import { SessionEnder } from './session-ender.js';
import { SessionEvents } from './session-events.js';
import { SessionIssuer } from './session-issuer.js';
import { SessionReader } from './session-reader.js';
import { SessionSweeper } from './session-sweeper.js';
import { TokenDigests } from './token-digests.js';
import { TouchQueue } from './touch-queue.js';

/** The parts that a manager shares with the views that `as()` returns. */
export class ManagerParts {
  readonly events: SessionEvents;
  readonly issuer: SessionIssuer;
  readonly touches: TouchQueue;
  readonly reader: SessionReader;
  readonly writer: AttributeWriter;
  readonly ender: SessionEnder;
  readonly registry: ServiceRegistry;
  readonly verifier: ServiceVerifier;
  readonly #sweeper: SessionSweeper;
  readonly #lateUses = new LateUseLimit();
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(readonly options: ResolvedOptions) {
    const { storage } = options;
    const hasher = new SecretHasher(options.secretPepper.map((pepper) => pepper.reveal()));
    const digests = new TokenDigests(options);
    this.events = new SessionEvents(storage);
    this.touches = new TouchQueue(storage, options.touchIntervalMs);
    this.#sweeper = new SessionSweeper(storage, options);
    this.issuer = new SessionIssuer(storage, options, digests);
    this.reader = new SessionReader(storage, this.touches, digests, (tombstone) => this.#reportLateUse(tombstone));
    this.writer = new AttributeWriter(storage, options, digests);
    this.ender = new SessionEnder(storage, options.historyRetentionMs);
    this.verifier = new ServiceVerifier(storage, hasher, options.verificationCacheMs);
    this.registry = new ServiceRegistry(storage.services, hasher, () => this.verifier.forget(), options.serviceId);
  }

  /** Connects the storage once. A closed manager stays closed, because it no longer listens to the change feed. */
  connect(): Promise<void> {
    if (this.#closing) return Promise.reject(new StorageUnavailableError('This manager is closed. Create a new one.'));
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  /** Waits for pending writes, then closes the storage. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #connect(): Promise<void> {
    try {
      this.#warnOfShortTokens();
      await this.options.storage.connect();
      await this.verifier.checkPeppers();
      this.#sweeper.start();
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }

  async #close(): Promise<void> {
    const isConnected = await this.#connecting?.then(
      () => true,
      () => false,
    );
    await this.#sweeper.stop();
    await this.writer.drain();
    await this.touches.drain();
    this.verifier.close();
    this.events.close();
    // A storage that this manager did not connect belongs to another owner.
    if (isConnected) await this.options.storage.close();
  }

  #warnOfShortTokens(): void {
    const { minTokenLength } = this.options;
    if (minTokenLength >= STRONG_TOKEN_LENGTH) return;
    new Logger('DistributedSessionManager').warn(
      `minTokenLength is ${minTokenLength}: createSession() accepts tokens with fewer than 128 bits, which can be guessed. ` +
        'Keep it below 22 only to bind tokens that are random and long enough for your application.',
    );
  }

  #reportLateUse({ sessionId, loginId, serviceId, device, version, reason }: SessionTombstone): void {
    const { storage, serviceId: by } = this.options;
    const at = storage.now();
    if (!this.#lateUses.admits(sessionId, at)) return;
    const session = { sessionId, loginId, serviceId, ...(device !== undefined && { device }), version };
    this.events.emit({ type: 'session.refused', ...session, reason, by, at });
  }
}
