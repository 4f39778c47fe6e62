/** What a service proves itself with. An operator registered it and handed the secret over, once. */
export interface ServiceIdentity {
  readonly serviceId: string;
  readonly secret: string;
}
