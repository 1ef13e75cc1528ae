package io.evento.testkit;

import java.util.List;

/** The test as it began, for reports. */
record Given(List<String> events, String command) {

  Report report(String sentence) {
    return new Report(sentence).block("Given", events).block("When", command);
  }

  /**
   * @throws AssertionError if the same decision came out in two ways
   */
  void checkRepeat(List<String> first, List<String> second) {
    if (!first.equals(second)) {
      throw report("The same command on the same state was decided in two ways.")
          .block("First", first)
          .block("Then", second)
          .say(
              "A handler is a function: give it time, ids and chance with the command. Or leave out"
                  + " Check.REPEAT.")
          .failure();
    }
  }
}
