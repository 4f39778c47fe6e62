import { DistributedSessionError } from 'nestjs-distributed-session';
import { EnvironmentError } from './read-environment.js';

/** The reasons that prevent the server from listening on an address, by error code. */
const LISTEN_ERRORS: Readonly<Partial<Record<string, string>>> = {
  EADDRINUSE: 'is already in use. Set PORT to another port, or to 0 for a free one.',
  EACCES: 'requires privileges that this user does not have. Set PORT to another port.',
  EADDRNOTAVAIL: 'is not an address of this machine. Set HOST to one of its addresses.',
  ENOTFOUND: 'is not an address of this machine. Set HOST to one of its addresses.',
};

/** Describes why the service cannot start. An unexpected error is described by its stack. */
export function describeStartError(error: unknown): string {
  if (error instanceof EnvironmentError) return error.message;
  if (error instanceof DistributedSessionError) return `The session service cannot start: ${error.message}`;
  const { code, address, hostname, port, stack } = error as NodeJS.ErrnoException & Partial<Record<string, string>>;
  const reason = LISTEN_ERRORS[code ?? ''];
  if (reason === undefined) return stack ?? String(error);
  return `The session service cannot start: ${address ?? hostname}${port === undefined ? '' : `:${port}`} ${reason}`;
}
