import type { Registrations, ServiceName } from '../registrations.js';

export type ServiceUrls = Readonly<Record<ServiceName, string>>;

/** Where a story takes place: what registers the three services and runs them. */
export interface Stage {
  /** One sentence on what runs where. */
  readonly setting: string;

  /** Registers the services, as an operator would, and starts each with its secret. Resolves to where they listen. */
  start(registrations: Registrations, signal: AbortSignal): Promise<ServiceUrls>;

  /** Ends whatever of it was started, also after a start that failed. */
  close(): Promise<void>;
}
