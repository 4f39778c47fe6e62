import { Environment, SECRET_VARIABLES } from './environment.js';

type Secrets = Pick<Environment, (typeof SECRET_VARIABLES)[number]>;

const secretsOf = new WeakMap<object, Secrets>();

/** The constructor is `Object`, because `util.inspect()` can read the getters of an object itself and of a class. */
const HIDDEN = Object.create(Environment.prototype, { constructor: { value: Object } }) as object;
for (const name of SECRET_VARIABLES) {
  Object.defineProperty(HIDDEN, name, {
    get(this: object) {
      return secretsOf.get(this)?.[name];
    },
  });
}

/** Moves the secrets behind getters of a prototype, so that no dump of the environment shows them. */
export function withSealedSecrets(environment: Environment): Environment {
  secretsOf.set(environment, Object.assign({}, environment));
  for (const name of SECRET_VARIABLES) Reflect.deleteProperty(environment, name);
  return Object.setPrototypeOf(environment, HIDDEN) as Environment;
}
