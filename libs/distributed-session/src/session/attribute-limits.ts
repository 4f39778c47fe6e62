/** The bounds of attributes. A write that would break one is refused whole, before anything is sent. */
export interface AttributeLimits {
  /** Length of a key in UTF-16 code units. Default 128. */
  readonly maxKeyLength: number;
  /** Size of one value as JSON, in bytes of UTF-8. Default 16,384. */
  readonly maxValueBytes: number;
  /** How many attributes a session has. Default 100. */
  readonly maxCount: number;
  /** Size of all attributes as one JSON object, in bytes of UTF-8. Default 65,536. */
  readonly maxTotalBytes: number;
  /** How deep arrays and objects nest; a plain value is at depth 0. Default 16. */
  readonly maxDepth: number;
}

export const DEFAULT_ATTRIBUTE_LIMITS: AttributeLimits = Object.freeze({
  maxKeyLength: 128,
  maxValueBytes: 16_384,
  maxCount: 100,
  maxTotalBytes: 65_536,
  maxDepth: 16,
});
