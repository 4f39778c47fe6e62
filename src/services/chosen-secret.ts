/** How the OpenAPI document describes a secret that the caller chooses. */
export const CHOSEN_SECRET = {
  minLength: 12,
  maxLength: 512,
  description: 'A secret of your own. Leave it out to have one generated.',
  example: 'correct-horse-battery-staple',
};
