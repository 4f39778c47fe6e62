import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Environment } from '../config/environment.js';

/** The contexts of Nest's own startup messages: a line for every module and route. */
const STARTUP_CONTEXTS: readonly unknown[] = ['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer'];
const LEVELS: readonly LogLevel[] = ['debug', 'log', 'warn', 'error', 'fatal'];

/** Writes log lines as JSON or as text, from the configured level up. */
export class ServiceLogger extends ConsoleLogger {
  constructor({ logFormat, LOG_LEVEL }: Pick<Environment, 'logFormat' | 'LOG_LEVEL'>) {
    super({ json: logFormat === 'json', logLevels: LEVELS.slice(LEVELS.indexOf(LOG_LEVEL)), prefix: 'sessions' });
  }

  override log(message: unknown, ...optional: unknown[]): void {
    if (!STARTUP_CONTEXTS.includes(optional.at(-1))) super.log(message, ...optional);
  }
}
