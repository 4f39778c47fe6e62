import { register } from 'node:module';

// For `node --import`: benchmarks are TypeScript and start the servers of the tests, which is TypeScript, too.
register('./hooks.js', import.meta.url);
