/**
 * Refuses to load the ES modules beside the CommonJS build: of two copies of a class, Nest injects one and `instanceof`
 * compares with the other. Each entry point imports this file. Node itself always loads the ES modules, also for
 * `require()`; Jest and some bundlers do not.
 */
const FORMAT = Symbol.for('nestjs-distributed-session:format');

// The copies share nothing but the global object. The CommonJS build has no import.meta.
const loaded = globalThis as { [FORMAT]?: string };
const format = import.meta.url === undefined ? 'CommonJS' : 'ES modules';

if ((loaded[FORMAT] ??= format) !== format) {
  throw new Error(
    'nestjs-distributed-session was loaded twice, from ES modules and from CommonJS, so that its classes would not match. ' +
      "Select CommonJS for both with the condition '@distributed-session/commonjs': in Jest, " +
      "testEnvironmentOptions: { customExportConditions: ['@distributed-session/commonjs', 'node', 'node-addons'] }.",
  );
}
