"""The main job as a story: a day's trades from the tape to the audited books."""
