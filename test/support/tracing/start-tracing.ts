import { register } from 'node:module';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

// As the packages document it for ES modules: before the clients are imported, with all defaults.
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

/** The spans that have ended. */
export const exporter = new InMemorySpanExporter();

new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
registerInstrumentations({ instrumentations: [new IORedisInstrumentation(), new PgInstrumentation()] });
