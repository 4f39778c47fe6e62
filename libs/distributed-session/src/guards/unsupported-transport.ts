import { type ExecutionContext, ForbiddenException, HttpStatus } from '@nestjs/common';
import { UnsupportedTransportError } from '../errors/request.errors.js';

/** Returns whether the guards can judge the calls of a context. */
export function isSupported(context: ExecutionContext): boolean {
  return context.getType() === 'http';
}

/**
 * The exception for a call that is not over HTTP. GraphQL servers copy `extensions` into the error that they return. Its
 * body has no status, because Nest's Apollo driver would replace the code by one that belongs to the status.
 */
export class UnsupportedTransportException extends ForbiddenException {
  readonly extensions: { readonly code: string; readonly transport: string };
  readonly code: string;

  constructor({ code, message, transport }: UnsupportedTransportError) {
    super({ code, message, transport });
    this.code = code;
    this.extensions = { code, transport };
  }
}

/** The packages whose exceptions reach the client. Any other exception is "Internal server error" to it. */
const EXCEPTIONS: Readonly<Record<string, readonly [packageName: string, className: string]>> = {
  rpc: ['@nestjs/microservices', 'RpcException'],
  ws: ['@nestjs/websockets', 'WsException'],
};

type ExceptionClass = new (error: object) => Error;

/** Returns the exception for a call that is not over HTTP, in the form of its transport. */
export async function unsupportedTransport(context: ExecutionContext): Promise<Error> {
  const error = new UnsupportedTransportError(context.getType<string>());
  const { code, message, transport } = error;
  const exception = await exceptionOf(transport);
  if (!exception) return new UnsupportedTransportException(error);
  // An application's own filters recognise the refusal by its status or its code on every transport.
  const refusal = new exception({ status: 'error', code, message, transport });
  return Object.assign(refusal, { status: HttpStatus.FORBIDDEN, code });
}

/** Imports the class when it is first needed: the application has loaded the package, and most applications have none. */
async function exceptionOf(transport: string): Promise<ExceptionClass | undefined> {
  const [packageName, className] = EXCEPTIONS[transport] ?? [];
  if (packageName === undefined || className === undefined) return undefined;
  try {
    const exports = (await import(packageName)) as Record<string, ExceptionClass | undefined>;
    return exports[className];
  } catch {
    return undefined;
  }
}
