import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { ServiceLogger } from './service-logger.js';

describe('ServiceLogger', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test.each([
    ['debug', ['debug', 'log', 'warn', 'error', 'fatal']],
    ['log', ['log', 'warn', 'error', 'fatal']],
    ['warn', ['warn', 'error', 'fatal']],
    ['error', ['error', 'fatal']],
  ] as const)('writes the level %s and those above', (LOG_LEVEL, levels) => {
    const written = writtenBy({ logFormat: 'json', LOG_LEVEL }, (logger) => {
      for (const level of ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const)
        logger[level]('text', 'Context');
    });
    const lines = written.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(levels);
  });

  test('writes each message as one line of JSON, without colours', () => {
    const message = { text: 'two\nlines', nested: { deep: { deeper: [1, { deepest: 'a' }] } } };
    const written = writtenBy({ logFormat: 'json', LOG_LEVEL: 'log' }, (logger) => logger.log(message, 'Context'));
    expect(written.split('\n')).toEqual([expect.any(String), '']);
    expect(JSON.parse(written)).toMatchObject({ level: 'log', context: 'Context', message });
  });

  test('writes text with the name of the service', () => {
    const written = writtenBy({ logFormat: 'text', LOG_LEVEL: 'log' }, (logger) =>
      logger.warn('Something.', 'Context'),
    );
    expect(written).toContain('[sessions]');
    expect(written).toContain('[Context]');
    expect(written).toContain('Something.');
  });

  test('omits the startup messages of Nest, except warnings', () => {
    const written = writtenBy({ logFormat: 'json', LOG_LEVEL: 'debug' }, (logger) => {
      for (const context of ['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer']) {
        logger.log('a startup message', context);
        logger.warn(`something is wrong in ${context}`, context);
      }
      logger.log('Nest application successfully started', 'NestApplication');
    });
    expect(written).not.toContain('a startup message');
    expect(written.match(/something is wrong in \w+/g)).toHaveLength(4);
    expect(written).toContain('successfully started');
  });
});

/** Returns what a logger writes during `act`. */
function writtenBy(options: ConstructorParameters<typeof ServiceLogger>[0], act: (logger: ServiceLogger) => void) {
  let written = '';
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
  }
  act(new ServiceLogger(options));
  jest.restoreAllMocks();
  return written;
}
