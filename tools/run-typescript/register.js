import { register } from 'node:module';

// For `node --import`: runs TypeScript, of the library too, from source.
register('./hooks.js', import.meta.url);
