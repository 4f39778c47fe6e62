import type { InjectionToken } from '@nestjs/common';

/** Nest's metadata keys for what a class injects. */
const PARAMETER_TYPES = 'design:paramtypes';
const PARAMETER_TOKENS = 'self:paramtypes';
const OPTIONAL_PARAMETERS = 'optional:paramtypes';
const PROPERTIES = 'self:properties_metadata';

/** A token, or a reference to one that is defined later. */
type Reference = InjectionToken | { readonly forwardRef: () => InjectionToken };
type Property = { readonly key: string | symbol; readonly type: Reference };

/** What Nest injects into a class: through its constructor, and into its properties. */
export class Dependencies {
  private constructor(
    readonly parameters: readonly Reference[],
    /** The positions of the parameters that may be missing. */
    readonly optional: readonly number[],
    private readonly properties: readonly Property[],
  ) {}

  static of(type: Function): Dependencies {
    const parameters = [...((Reflect.getMetadata(PARAMETER_TYPES, type) ?? []) as Reference[])];
    const declared = (Reflect.getMetadata(PARAMETER_TOKENS, type) ?? []) as { index: number; param: Reference }[];
    for (const { index, param } of declared) parameters[index] = param;
    const properties = (Reflect.getMetadata(PROPERTIES, type) ?? []) as Property[];
    return new Dependencies(parameters, optionalOf(type), properties);
  }

  tokenAt(index: number): InjectionToken {
    return resolved(this.parameters[index]!);
  }

  injects(token: InjectionToken): boolean {
    return this.parameters.some((given) => resolved(given) === token);
  }

  renamed(rename: (token: InjectionToken) => InjectionToken): Dependencies {
    const replace = (given: Reference): Reference =>
      isForwardReference(given) ? { forwardRef: () => rename(given.forwardRef()) } : rename(given);
    const properties = this.properties.map(({ key, type }) => ({ key, type: replace(type) }));
    return new Dependencies(this.parameters.map(replace), this.optional, properties);
  }

  /** Adds an optional parameter at the end, and makes other parameters optional. */
  with(token: InjectionToken, optional: readonly number[]): Dependencies {
    const all = [...this.optional, ...optional, this.parameters.length];
    return new Dependencies([...this.parameters, token], all, this.properties);
  }

  applyTo(type: Function): void {
    const tokens = this.parameters.map((param, index) => ({ index, param }));
    Reflect.defineMetadata(PARAMETER_TYPES, this.parameters, type);
    Reflect.defineMetadata(PARAMETER_TOKENS, tokens, type);
    Reflect.defineMetadata(OPTIONAL_PARAMETERS, this.optional, type);
    Reflect.defineMetadata(PROPERTIES, this.properties, type);
  }
}

/** The flags of the class that declares the constructor: those of a class above do not apply to another constructor. */
function optionalOf(type: object): readonly number[] {
  for (let owner: object | null = type; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    const keys: unknown[] = Reflect.getOwnMetadataKeys(owner);
    if ([PARAMETER_TYPES, PARAMETER_TOKENS, OPTIONAL_PARAMETERS].some((key) => keys.includes(key))) {
      return (Reflect.getOwnMetadata(OPTIONAL_PARAMETERS, owner) ?? []) as number[];
    }
  }
  return [];
}

function resolved(given: Reference): InjectionToken {
  return isForwardReference(given) ? given.forwardRef() : given;
}

function isForwardReference(given: Reference): given is { readonly forwardRef: () => InjectionToken } {
  return typeof given === 'object' && given !== null && 'forwardRef' in given;
}
