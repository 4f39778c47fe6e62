import { Injectable, type PipeTransform } from '@nestjs/common';
import { SESSION_ID_PATTERN, SessionInputError } from 'nestjs-distributed-session';
import { SESSION_ID_LENGTH } from './session-id.js';

/** Accepts a session id only, where the library would also accept a credential: a URL must not contain one. */
@Injectable()
export class SessionIdPipe implements PipeTransform<string, string> {
  transform(sessionId: string): string {
    if (SESSION_ID_PATTERN.test(sessionId)) return sessionId;
    const requirement = `must be a lower-case UUID of ${SESSION_ID_LENGTH} characters.`;
    throw new SessionInputError('sessionId', 'format', requirement, SESSION_ID_LENGTH);
  }
}
