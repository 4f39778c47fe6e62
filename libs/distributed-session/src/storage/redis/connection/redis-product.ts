import type { Logger } from '@nestjs/common';

/** A server that answers as Redis does, and is another product. */
interface Product {
  readonly name: string;
  /** The field of `INFO` with its own version. `redis_version` is then the version that it imitates. */
  readonly field: string;
  /** What is known about it. */
  readonly verdict: 'works' | 'untested';
}

const PRODUCTS: readonly Product[] = [
  { name: 'Valkey', field: 'valkey_version', verdict: 'works' },
  { name: 'Redict', field: 'redict_version', verdict: 'untested' },
  { name: 'Dragonfly', field: 'dragonfly_version', verdict: 'untested' },
  { name: 'Kvrocks', field: 'kvrocks_version', verdict: 'untested' },
  { name: 'Garnet', field: 'garnet_version', verdict: 'untested' },
];

/** A product with its version. */
export interface FoundProduct extends Product {
  readonly version: string;
}

/** The product that an `INFO` reply names; `undefined` for Redis itself. */
export function productIn(info: string): FoundProduct | undefined {
  for (const product of PRODUCTS) {
    const version = new RegExp(`^${product.field}:([\\w.+-]{1,40})\\r?$`, 'mu').exec(info)?.[1];
    if (version !== undefined) return { ...product, version };
  }
  return undefined;
}

/** Reports once which product the servers are, after the checks at start have passed. */
export function reportProducts(products: readonly FoundProduct[], logger: Logger): void {
  for (const { name, version, verdict } of new Map(products.map((product) => [product.name, product])).values()) {
    const line = `The server is ${name} ${version}, not Redis.`;
    if (verdict === 'works') logger.log(`${line} It works as Redis does.`);
    else logger.warn(`${line} The checks at start have passed, but this library is not tested on it.`);
  }
}
