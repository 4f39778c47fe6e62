/** Returns the listed services. Throws if one cannot be read. */
export function readable<Listed extends { readonly serviceId: string; readonly unreadable?: unknown }>(
  services: readonly Listed[],
): Extract<Listed, { readonly unreadable?: undefined }>[] {
  const unreadable = services.filter((service) => service.unreadable !== undefined);
  if (unreadable.length > 0) throw new Error(`Unreadable: ${unreadable.map(({ serviceId }) => serviceId).join(', ')}`);
  return services as Extract<Listed, { readonly unreadable?: undefined }>[];
}
