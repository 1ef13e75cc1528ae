package io.evento.testkit;

import java.util.List;

/** The text of a failure: a sentence, then named blocks of lines. */
final class Report {
  private final StringBuilder text;

  Report(String sentence) {
    text = new StringBuilder(sentence);
  }

  Report block(String title, List<String> entries) {
    text.append('\n').append(title);
    if (entries.isEmpty()) {
      text.append("\n  (nothing)");
    }
    for (var entry : entries) {
      text.append("\n  ").append(entry.replace("\n", "\n  "));
    }
    return this;
  }

  Report block(String title, String entry) {
    return block(title, List.of(entry));
  }

  Report say(String sentence) {
    text.append('\n').append(sentence);
    return this;
  }

  @Override
  public String toString() {
    return text.toString();
  }

  AssertionError failure() {
    return new AssertionError(toString());
  }
}
