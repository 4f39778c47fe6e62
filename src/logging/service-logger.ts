import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Environment } from '../config/environment.js';

/** What Nest says of its own start, a line for every module and route: nobody's news. */
const STARTUP_CONTEXTS: readonly unknown[] = ['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer'];
const LEVELS: readonly LogLevel[] = ['debug', 'log', 'warn', 'error', 'fatal'];

/** Log lines for machines (JSON) or for people, from the chosen level on. */
export class ServiceLogger extends ConsoleLogger {
  constructor({ logFormat, LOG_LEVEL }: Pick<Environment, 'logFormat' | 'LOG_LEVEL'>) {
    super({ json: logFormat === 'json', logLevels: LEVELS.slice(LEVELS.indexOf(LOG_LEVEL)), prefix: 'sessions' });
  }

  override log(message: unknown, ...optional: unknown[]): void {
    if (!STARTUP_CONTEXTS.includes(optional.at(-1))) super.log(message, ...optional);
  }
}
