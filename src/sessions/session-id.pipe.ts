import { Injectable, type PipeTransform } from '@nestjs/common';
import { SESSION_ID_PATTERN, SessionInputError } from 'nestjs-distributed-session';

const LENGTH = 36;

/** Accepts a session id only, where the library would also accept a credential: a URL must not contain one. */
@Injectable()
export class SessionIdPipe implements PipeTransform<string, string> {
  transform(sessionId: string): string {
    if (SESSION_ID_PATTERN.test(sessionId)) return sessionId;
    throw new SessionInputError('sessionId', 'format', `must be a lower-case UUID of ${LENGTH} characters.`, LENGTH);
  }
}
