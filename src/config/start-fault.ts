import { DistributedSessionError } from 'nestjs-distributed-session';
import { EnvironmentError } from './environment.error.js';

const LISTENING: Readonly<Partial<Record<string, string>>> = {
  EADDRINUSE: 'is in use. Set PORT to another one, or to 0 for a free one.',
  EACCES: 'may not be listened on by this user. Set PORT to another one.',
  EADDRNOTAVAIL: 'is not an address of this machine. Set HOST to one.',
  ENOTFOUND: 'is not an address of this machine. Set HOST to one.',
};

/** Why the service does not start, for whoever starts it. What nobody foresaw comes with its stack. */
export function startFault(error: unknown): string {
  if (error instanceof EnvironmentError) return error.message;
  if (error instanceof DistributedSessionError) return `The session service cannot start: ${error.message}`;
  const { code, address, hostname, port, stack } = error as NodeJS.ErrnoException & Partial<Record<string, string>>;
  const says = LISTENING[code ?? ''];
  if (says === undefined) return stack ?? String(error);
  return `The session service cannot start: ${address ?? hostname}${port === undefined ? '' : `:${port}`} ${says}`;
}
