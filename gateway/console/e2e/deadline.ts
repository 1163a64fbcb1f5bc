// How long a journey waits for something that is to come: on a busy machine a browser starts slowly, and a debug build decodes slowly.
export const DEADLINE_MS = 90_000;
