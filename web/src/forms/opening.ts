import { asProblem } from "../api/client";
import { say } from "../parts/toast";

/** Opens a form for which something is to be read first, and says why where that is not possible. */
export async function opening(open: () => Promise<void>): Promise<void> {
  try {
    await open();
  } catch (error) {
    say(asProblem(error).message);
  }
}
