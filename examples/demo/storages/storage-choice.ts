import type { SessionStorage } from 'nestjs-distributed-session';

/** A storage that can be chosen, for services that hold it themselves and for the session service. */
export interface StorageChoice {
  /** As a sentence of the transcript names it. */
  readonly name: string;
  create(): SessionStorage;
  /** The environment that makes the session service use it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Leaves nothing in the store, when nobody uses it any more. */
  clear(): Promise<void>;
}
