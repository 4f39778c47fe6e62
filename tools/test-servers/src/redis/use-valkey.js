const { TESTS_VALKEY_PROGRAM } = process.env;
if (!TESTS_VALKEY_PROGRAM)
  throw new Error('Valkey was not installed: run the tests through Jest, whose globalSetup does.');

/** For `setupFiles` of Jest: the tests' servers are Valkey. */
process.env['TESTS_REDIS_PROGRAM'] = TESTS_VALKEY_PROGRAM;
